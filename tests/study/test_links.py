from starlette.routing import Match

from app.routes import studies, study_results
from app.study.links import StudyLinks

LINKS = StudyLinks("abc")

PATHS = {
    "GET": (
        LINKS.voters, LINKS.vote, LINKS.results, LINKS.numbers, LINKS.votes, LINKS.code, LINKS.code_image,
        LINKS.holder, LINKS.admin("x"), LINKS.image(3, "b"), LINKS.named_image(7, "cbam"),
    ),
    "POST": (LINKS.voters, LINKS.vote, LINKS.close, LINKS.delete),
}  # fmt: skip


def test_every_link_is_a_route_and_every_route_has_a_link() -> None:
    routes = [*studies.router.routes, *study_results.router.routes]
    met = set()
    for method, paths in PATHS.items():
        for path in paths:
            scope = {"type": "http", "path": path, "method": method, "headers": []}
            found = [place for place, route in enumerate(routes) if route.matches(scope)[0] is Match.FULL]
            assert found, (method, path)
            met.add(found[0])
    assert met == set(range(len(routes)))


def test_links_begin_with_the_servers_address_or_path() -> None:
    assert StudyLinks("abc", root="http://192.0.2.1:8000").vote == "http://192.0.2.1:8000/s/abc/vote"
    assert StudyLinks("abc", root="/lens").admin("x") == "/lens/s/abc/admin/x"
