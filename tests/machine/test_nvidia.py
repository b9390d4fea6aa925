"""A machine without an NVIDIA driver, which most are where tests run."""

import pynvml
import pytest

from trivium.machine import energy, nvidia, system


def test_no_driver_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    assert nvidia.handles() == nvidia.names() == []
    assert energy._nvml() is None and system._nvml() is None


def test_what_a_gpu_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(nvidia, "handles", lambda: ["a", "b"])
    for name in ("nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetTotalEnergyConsumption"):
        monkeypatch.setattr(pynvml, name, unknown)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", {"a": 300_000, "b": 71_240}.get)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", {"a": "NVIDIA H100", "b": "NVIDIA T4"}.get)
    assert nvidia.names() == ["NVIDIA H100", "NVIDIA T4"]
    read = system._nvml()
    assert read is not None and read() == {"gpu_0_power_usage_watts": 300.0, "gpu_1_power_usage_watts": 71.2}
    with energy.energy() as joules:
        pass
    assert joules() is None or energy._rapl() is not None
