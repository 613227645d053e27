"""What the contract tests of all families ask: who belongs, and what holds for all frozen data."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import FrozenInstanceError, fields, replace
from types import ModuleType

import torch
from torch import Tensor, nn


def members(package: ModuleType, family: type) -> list[type]:
    """The concrete members of a family that its registry, ``__all__``, names."""
    listed = [getattr(package, name) for name in package.__all__]
    found = [
        cls
        for cls in listed
        if isinstance(cls, type) and issubclass(cls, family) and not inspect.isabstract(cls)
    ]
    assert found
    return found


def unlisted(package: ModuleType, family: type) -> list[str]:
    """Concrete members that stand in a file of the package but not in its registry."""
    files = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]
    return [
        name
        for file in files
        for name, cls in inspect.getmembers(file, inspect.isclass)
        if issubclass(cls, family) and not inspect.isabstract(cls)
        if cls.__module__ == file.__name__ and name not in package.__all__
    ]


def check_declaration(cls: type) -> None:
    """Frozen data with defaults for all, equal by value, printed as it is written."""
    member = cls()
    assert member == cls()
    assert repr(member) == (
        f"{cls.__name__}({', '.join(f'{f.name}={getattr(member, f.name)!r}' for f in fields(cls))})"
    )
    for field in fields(cls):
        try:
            setattr(member, field.name, None)
        except FrozenInstanceError:
            continue
        raise AssertionError(f"{cls.__name__}.{field.name} can be changed")
    assert replace(member) == member
    if "lr" in {f.name for f in fields(cls)}:
        assert replace(member, lr=member.lr * 2) != member
    assert cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(")


def check_gradients_reach(module: nn.Module, total: Tensor) -> None:
    """Every parameter moves: none is left without a gradient, or with one of zeros."""
    module.zero_grad()
    total.backward()
    still = [
        name
        for name, parameter in module.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert still == []


def check_finite_gradients(module: nn.Module, total: Tensor) -> None:
    """The value and the gradients are numbers."""
    module.zero_grad()
    total.backward()
    assert torch.isfinite(total)
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


def shaken(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with all its parameters moved, so that nothing rests at a start of zeros."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return module


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two modules hold the same bits."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)
