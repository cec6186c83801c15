"""Why a text does not fit its pattern."""


def explain_pattern() -> None: ...
