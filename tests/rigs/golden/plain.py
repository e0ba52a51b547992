"""What is compared is compared parsed: 400 and 400.0 are one number, and dictionaries have no order."""

import ast

WHOLE = 2.0**53


def alike(text):
    """Text as it is compared: literals of Python parsed, 400 and 400.0 one number, order of dictionaries forgotten."""
    try:
        return repr(plain(ast.literal_eval(text)))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def plain(value):
    match value:
        case bool():
            return value
        case float() if value.is_integer() and abs(value) < WHOLE:
            return int(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in sorted(value.items())}
    return value
