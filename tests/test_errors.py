"""Errors that reach many tasks."""

import pytest

from trio_stream.errors import NotTheOwner, PreconditionFailed, StoreUnavailable, TrioStreamError, copy_of


@pytest.mark.parametrize(
    "error", [StoreUnavailable("it is away"), NotTheOwner(), PreconditionFailed((("ETag", '"a"'),))], ids=repr
)
def test_again_copies_an_error(error: TrioStreamError) -> None:
    others = [copy_of(error) for _ in range(2)]
    for other in others:
        with pytest.raises(type(error)) as raised:
            raise other
        assert raised.value is other is not error
        assert (other.args, vars(other), str(other)) == (error.args, vars(error), str(error))
        assert other.__cause__ is error
    assert error.__traceback__ is None, "raising the copy does not change the original"
