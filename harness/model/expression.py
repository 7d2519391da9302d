"""The small language of claims: arithmetic and comparisons over named numbers, nothing else.

An expression is checked when its file is read, against the names it may use, so a misspelled
name is an error of the file and not a claim that quietly fails.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import TypeGuard

ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISON: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
# Of any row or group; more is better, whatever is measured.
PERFORMANCE = frozenset({"performance", "paper_performance", "versus_performance"})
# Of a row alone: as measured.
RATIOS = frozenset({"ours", "paper", "versus", "extra_us", "value"})
NAMES = PERFORMANCE | RATIOS | {"tolerance"}


class Expression:
    """A checked expression. Raises ValueError, saying what is wrong, when it is made."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"{text!r} is no expression: {error.msg}") from None
        self.names = frozenset(_check(self._tree))
        if not isinstance(self._tree, ast.Compare | ast.BoolOp):
            raise ValueError(f"{text!r} is neither true nor false: it compares nothing")

    def true(self, numbers: Mapping[str, float]) -> bool:
        """Whether it holds for these numbers. A number that is not one (NaN) makes
        every comparison with it false."""
        return bool(_value(self._tree, numbers))


def _check(node: ast.expr) -> list[str]:
    """The names used below `node`. Raises ValueError for anything the language lacks."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return []
    if isinstance(node, ast.Name):
        if node.id not in NAMES:
            raise ValueError(f"unknown name {node.id!r}; known are {', '.join(sorted(NAMES))}")
        return [node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        parts = [node.operand]
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        parts = [node.left, node.right]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.Compare) and all(type(op) in COMPARISON for op in node.ops):
        parts = [node.left, *node.comparators]
    elif _is_known_call(node):
        parts = node.args
    else:
        raise ValueError(f"{ast.unparse(node)!r} is not part of the language of claims")
    return [name for part in parts for name in _check(part)]


def _is_known_call(node: ast.expr) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in FUNCTIONS
        and bool(node.args)
        and not node.keywords
    )


def _value(node: ast.expr, numbers: Mapping[str, float]) -> float:
    """A truth value is a number here too, as in Python. Only sees what `_check` let through."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return numbers[name]
        case ast.UnaryOp(operand=operand):
            return -_value(operand, numbers)
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](_value(left, numbers), _value(right, numbers))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(value, numbers) for value in values)
        case ast.BoolOp(values=values):
            return any(_value(value, numbers) for value in values)
        case ast.Compare():
            operands = [_value(part, numbers) for part in (node.left, *node.comparators)]
            return all(
                COMPARISON[type(op)](operands[index], operands[index + 1])
                for index, op in enumerate(node.ops)
            )
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*(_value(arg, numbers) for arg in args))
    raise AssertionError(ast.dump(node))
