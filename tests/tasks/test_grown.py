import pyarrow as pa

from trivium.tasks.classification import Classification


def test_new_classes_stand_behind_the_old_ones_and_rare_ones_have_a_reason():
    values = pa.array(["b", "z", "a", "a", "a", None, "b"])
    task, reasons = Classification(["c", "b"]).grown(values, 3)
    assert task.classes == ("c", "b", "a")
    assert reasons == {1: "its class `z` is new and has 1 usable rows; validate.min_class_count in params.yaml is 3"}
