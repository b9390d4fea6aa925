"""What the modality `table` is made of: cells in one string (`packed`), what they mean (`typed`), and the numbers and
codes that models see (`fitted`).
"""
