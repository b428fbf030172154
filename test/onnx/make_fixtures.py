"""Makes test/onnx/fixtures/*.onnx: small networks in the styles in which 1-bit networks are published.

    pip install torch onnx onnxscript
    python test/onnx/make_fixtures.py

Each is exported twice where both exporters can: `<name>.ts.onnx` by the TorchScript exporter (dynamo=False) and
`<name>.dynamo.onnx` by the newer one. The weights are random and no result of a training.
"""
import os
import sys
import warnings
from pathlib import Path

import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")
OUT = Path(__file__).parent / "fixtures"


# Bi-Real net: sign with the piecewise polynomial's gradient; weights |mean|-scaled signs of latent floats.
class BinaryActivation(nn.Module):
    def forward(self, x):
        out_forward = torch.sign(x)
        mask1 = x < -1
        mask2 = x < 0
        mask3 = x < 1
        out1 = (-1) * mask1.type(torch.float32) + (x * x + 2 * x) * (1 - mask1.type(torch.float32))
        out2 = out1 * mask2.type(torch.float32) + (-x * x + 2 * x) * (1 - mask2.type(torch.float32))
        out3 = out2 * mask3.type(torch.float32) + 1 * (1 - mask3.type(torch.float32))
        return out_forward.detach() - out3.detach() + out3


class HardBinaryConv(nn.Module):
    def __init__(self, inputs, outputs, kernel=3, stride=1, padding=1):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.shape = (outputs, inputs, kernel, kernel)
        self.weights = nn.Parameter(torch.randn(outputs * inputs * kernel * kernel, 1) * 0.1)

    def forward(self, x):
        real = self.weights.view(self.shape)
        scale = torch.mean(torch.mean(torch.mean(abs(real), dim=3, keepdim=True), dim=2, keepdim=True), dim=1, keepdim=True)
        scale = scale.detach()
        no_grad = scale * torch.sign(real)
        clipped = torch.clamp(real, -1.0, 1.0)
        weights = no_grad.detach() - clipped.detach() + clipped
        return F.conv2d(x, weights, stride=self.stride, padding=self.padding)


class BiRealBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.binary_activation = BinaryActivation()
        self.binary_conv = HardBinaryConv(inputs, outputs, stride=stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(nn.AvgPool2d(2, stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn1(self.binary_conv(self.binary_activation(x)))
        return out + (x if self.downsample is None else self.downsample(x))


class Classifier(nn.Module):
    """A 7×7 stem, a body and a linear layer, as in the ResNets."""

    def __init__(self, body, stem=8, width=16, classes=5):
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.body = body
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        x = self.avgpool(self.body(self.maxpool(self.bn1(self.conv1(x)))))
        return self.fc(x.view(x.size(0), -1))


def bireal():
    return Classifier(nn.Sequential(BiRealBlock(8, 8), BiRealBlock(8, 16, 2), BiRealBlock(16, 16)))


# ReActNet: RSign is a learnable bias before the sign, RPReLU a PReLU between two.
class LearnableBias(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(1, channels, 1, 1) * 0.3)

    def forward(self, x):
        return x + self.bias.expand_as(x)


class ReActBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.move0, self.move1, self.move2 = LearnableBias(inputs), LearnableBias(outputs), LearnableBias(outputs)
        self.binary_activation = BinaryActivation()
        self.binary_conv = HardBinaryConv(inputs, outputs, stride=stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.prelu.weight.data = torch.rand(outputs) * 0.5
        self.pool = nn.AvgPool2d(2, 2) if stride != 1 else None
        self.widen = outputs == 2 * inputs

    def forward(self, x):
        out = self.bn1(self.binary_conv(self.binary_activation(self.move0(x))))
        if self.pool is not None:
            x = self.pool(x)
        if self.widen:
            x = torch.cat([x, x], dim=1)
        return self.move2(self.prelu(self.move1(out + x)))


def reactnet():
    return Classifier(nn.Sequential(ReActBlock(8, 8), ReActBlock(8, 16, 2), ReActBlock(16, 16)))


# IR-Net: standardised latent weights, a power of two as the scale, a shortcut and a hardtanh after each convolution.
class IRConv2d(nn.Conv2d):
    def forward(self, x):
        w = self.weight
        bw = w - w.view(w.size(0), -1).mean(-1).view(w.size(0), 1, 1, 1)
        bw = bw / bw.view(bw.size(0), -1).std(-1).view(bw.size(0), 1, 1, 1)
        sw = torch.pow(torch.tensor([2.0] * bw.size(0)), (torch.log(bw.abs().view(bw.size(0), -1).mean(-1)) / 0.6931471805599453).round().float()).view(bw.size(0), 1, 1, 1).detach()
        return F.conv2d(torch.sign(x), torch.sign(bw) * sw, self.bias, self.stride, self.padding, self.dilation, self.groups)


class IRBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1, self.bn1 = IRConv2d(inputs, outputs, 3, padding=1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = IRConv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
        self.downsample = down if stride > 1 else nn.Identity()

    def forward(self, x):
        y = F.hardtanh(self.bn1(self.conv1(x)) + self.downsample(x))
        return F.hardtanh(self.bn2(self.conv2(y)) + y)


def irnet():
    return Classifier(nn.Sequential(IRBlock(8, 8), IRBlock(8, 16, 2)))


# Signs without frills, and weights that are ±1 already: the exporters fold each BatchNorm into the conv before it.
def pm1(*shape):
    return torch.where(torch.rand(*shape) < 0.5, -1.0, 1.0)


class PlainBinaryConv(nn.Module):
    def __init__(self, inputs, outputs, form="sign", kernel=3, **options):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **options)
        self.conv.weight.data = pm1(*self.conv.weight.shape)
        self.form = form

    def binarise(self, x):
        one = torch.ones((), dtype=x.dtype)
        clipped = torch.clamp(x, -1, 1)
        return {
            "sign": lambda: torch.sign(x),
            "where": lambda: torch.where(x >= 0, one, -one),
            "where-strict": lambda: torch.where(x > 0, one, -one),
            "where-less": lambda: torch.where(x < 0, -one, one),
            "cast": lambda: (x >= 0).float() * 2 - 1,
            "cast-less": lambda: 1 - 2 * (x < 0).float(),
            "sign-shift": lambda: torch.sign(torch.sign(x) + 0.1),
            "sign-mask": lambda: torch.where(torch.sign(x) == 0, one, torch.sign(x)),
            "clip-ste": lambda: (torch.sign(x) - clipped).detach() + clipped,
            "tanh-ste": lambda: torch.sign(x).detach() - torch.tanh(2 * x).detach() + torch.tanh(2 * x),
            "identity-ste": lambda: x + (torch.sign(x) - x).detach(),
            "clip-sign": lambda: torch.sign(torch.clamp(x, -1, 1)),
        }[self.form]()

    def forward(self, x):
        return self.conv(self.binarise(x))


FORMS = ["sign", "where", "where-strict", "where-less", "cast", "cast-less", "sign-shift", "sign-mask", "clip-ste", "tanh-ste", "identity-ste", "clip-sign"]


class Forms(nn.Module):
    """Every spelling of the sign, one after another; each conv has a BatchNorm behind it and a shortcut round it."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.convs = nn.ModuleList(PlainBinaryConv(8, 8, form, padding=1) for form in FORMS)
        self.norms = nn.ModuleList(nn.BatchNorm2d(8) for _ in FORMS)

    def forward(self, x):
        x = self.stem(x)
        for conv, norm in zip(self.convs, self.norms):
            x = x + norm(conv(x))
        return x.mean((2, 3))


# Padding of the ±1 map: bitorch pads with −1, Larq's QuickNet with +1.
class Padded(nn.Module):
    def __init__(self, value, first=False):
        super().__init__()
        self.value, self.first = value, first
        self.conv = PlainBinaryConv(8, 8, stride=2)

    def forward(self, x):
        if self.first:
            return self.conv.conv(torch.where(F.pad(x, (1, 1, 1, 1), value=self.value) >= 0, 1.0, -1.0))
        return self.conv.conv(F.pad(torch.sign(x), (1, 1, 1, 1), value=self.value))


def padded():
    return Classifier(nn.Sequential(Padded(-1.0), nn.BatchNorm2d(8), Padded(1.0), nn.PReLU(8), Padded(0.0, first=True)), width=8)


# Scales: of the activations (XNOR-Net++ style, one number), of the weights, and after the conv for each channel.
class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = PlainBinaryConv(8, 8, padding=1, groups=2)
        self.alpha = nn.Parameter(torch.rand(1, 8, 1, 1) + 0.5)
        self.beta = nn.Parameter(torch.tensor(0.75))

    def forward(self, x):
        y = self.conv.conv(torch.sign(x) * self.beta) * self.alpha
        return F.relu(y) * 0.5 + x


class Mixed(nn.Module):
    """Float convs in odd places: float weights on signs, ±1 weights on floats, some weights zero, dilation, ceil pools."""

    def __init__(self):
        super().__init__()
        self.on_signs = nn.Conv2d(8, 8, 3, padding=1)
        self.on_floats = PlainBinaryConv(8, 8, padding=2, dilation=2)
        self.zeros = PlainBinaryConv(8, 8, padding=1)
        self.zeros.conv.weight.data[3, 2, 1, 1] = 0
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.mean = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False)
        self.last = PlainBinaryConv(8, 6, "where", kernel=1)  # sums of ±1 are often 0
        self.fc = nn.Linear(6 * 2 * 2, 4)

    def forward(self, x):
        x = self.pool(F.pad(x, (0, 0, 0, 0)))
        x = F.leaky_relu(self.on_signs(torch.sign(x)), 0.125)
        x = self.mean(self.on_floats.conv(x))
        x = self.zeros(x)
        x = F.relu(self.last(x[:, :, ::2, ::2]))
        return F.log_softmax(self.fc(torch.flatten(x, 1)), dim=1)


class BinaryLinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8 * 3 * 5, 6)
        self.out = nn.Linear(6, 3, bias=False)
        self.fc.weight.data = pm1(6, 120) * 0.25
        self.out.weight.data = pm1(3, 6)

    def forward(self, x):
        y = self.fc(torch.flatten(torch.where(x >= 0.25, 1.0, -1.0), 1))
        return self.out(torch.sign(y)), y


# Larq, as tf2onnx writes it: NHWC in, the sign of a threshold, SAME padding. Made of PyTorch's transposes.
class Channelslast(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(8), PlainBinaryConv(8, 16, "where", padding=1))

    def forward(self, x):
        y = self.net(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        y = (y * torch.linspace(0.5, 1.5, 16) - 0.25).permute(0, 3, 1, 2)
        return y.mean((2, 3)).softmax(-1)


class Later(nn.Module):
    """What came later: a gate, a ternary and a {0, 1} activation, XNOR-Net++'s scales, K of XNOR-Net, ±1 weights on real numbers."""

    def __init__(self):
        super().__init__()
        self.stem, self.bn = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.squeeze, self.excite = nn.Linear(8, 4), nn.Linear(4, 8)
        self.weight = nn.Parameter(torch.randn(8, 8, 3, 3))
        self.threshold = nn.Parameter(torch.rand(8, 1, 1) * 0.5)
        self.alpha = nn.Parameter(torch.rand(8, 1, 1))
        self.beta, self.gamma = nn.Parameter(torch.rand(1, 9, 1)), nn.Parameter(torch.rand(1, 1, 7))
        self.bias = nn.Parameter(torch.randn(1, 8, 1, 1))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.bn(self.stem(x))
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean((2, 3))))))
        x = x * gate.view(x.shape[0], 8, 1, 1)
        bits = torch.where(self.weight >= 0, 1.0, -1.0)
        ternary = (x >= self.threshold).float() - (x <= -self.threshold).float()
        y = torch.conv2d(ternary, bits, padding=1) * self.alpha * self.beta * self.gamma
        scaled = bits * self.weight.abs().mean((1, 2, 3), keepdim=True)
        y = torch.conv2d((y + self.bias > 0).float(), scaled, padding=1) * x.abs().mean(1, keepdim=True)
        y = torch.conv2d(y, bits, padding=1)
        a, b = y.split([3, 5], 1)
        y = torch.cat([b, a], 1) + nn.functional.pad(y[:, 2:6], (0, 0, 0, 0, 2, 2))
        return self.fc(nn.functional.silu(y * 0.01).mean((2, 3)))


NETWORKS = {
    "bireal": (bireal, (3, 32, 32)),
    "reactnet": (reactnet, (3, 32, 48)),
    "irnet": (irnet, (3, 32, 32)),
    "forms": (Forms, (3, 9, 7)),
    "padded": (padded, (3, 64, 48)),
    "scaled": (lambda: Classifier(nn.Sequential(Scaled(), Scaled()), width=8), (3, 32, 32)),
    "mixed": (Mixed, (8, 14, 14)),
    "linear": (BinaryLinear, (8, 3, 5)),
    "nhwc": (Channelslast, (11, 13, 3)),
    "later": (Later, (3, 9, 7)),
}


def main():
    OUT.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or list(NETWORKS)
    for index, (name, (make, shape)) in enumerate(NETWORKS.items()):
        if name not in wanted:
            continue
        torch.manual_seed(index)
        net = make().eval()
        for module in net.modules():  # BatchNorms that have seen data
            if isinstance(module, nn.BatchNorm2d):
                module.weight.data = torch.randn(module.num_features) * 0.3 + 1
                module.bias.data = torch.randn(module.num_features) * 0.3
                module.running_mean = torch.randn(module.num_features)
                module.running_var = torch.rand(module.num_features) * 4 + 0.5
        x = torch.randn(2, *shape)
        for kind in ("ts", "dynamo"):
            path = OUT / f"{name}.{kind}.onnx"
            options = {"input_names": ["input"], "output_names": ["logits", "features"][: 2 if name == "linear" else 1]}
            if kind == "ts":
                dynamic = {"input": {0: "batch"}} if index % 2 == 0 else None
                torch.onnx.export(net, (x,), path, dynamo=False, opset_version=[9, 11, 13, 17][index % 4], dynamic_axes=dynamic, **options)
            else:
                batch = torch.export.Dim("batch", min=1, max=1024)
                dynamic = {"dynamic_shapes": ({0: batch},)} if index % 2 == 1 else {}
                torch.onnx.export(net, (x,), path, dynamo=True, opset_version=[18, 20, 23][index % 3], external_data=False, verbose=False, **dynamic, **options)
            strip(path)
            print(f"{path.name}: {os.path.getsize(path)} bytes, {len(onnx.load(path).graph.node)} nodes")


def strip(path):
    """Removes what exporters note about source files: machine paths, and half of each file."""
    model = onnx.load(path)
    model.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for part in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.save(model, path)


if __name__ == "__main__":
    main()
