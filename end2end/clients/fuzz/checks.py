"""What no request may bring about, whatever it says."""

import schemathesis


@schemathesis.check
def no_fault_of_the_server(ctx, response, case):
    """The request may be wrong and may be refused; the server may not fail at it."""
    assert response.status_code < 500, f"status {response.status_code}"
    answer = response.json()
    assert "data" in answer or answer.get("errors"), "neither data nor errors"
    for error in answer.get("errors", []):
        assert error.get("errorType") != "InternalFailure", error
