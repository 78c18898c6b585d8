"""The documentation page lists every operation and asks nothing of other servers."""

from tests.api.conftest import Api


def test_the_page_names_every_operation(api: Api) -> None:
    answer = api.http.get("/docs")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "src=" not in answer.text
    document = api.http.get("/openapi.json").json()
    assert len(document["paths"]) > 40
    for path in document["paths"]:
        assert f"<code>{path}</code>" in answer.text
