"""The container's files: they answer to this machine's names alone unless told otherwise."""

import re

import pytest

from app.server.guard.hosts import THIS_MACHINE
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml"])
def test_container_answers_to_this_machines_names_alone(name: str) -> None:
    text = (ROOT / name).read_text()
    (hosts,) = re.findall(r'CBAM_LENS_TRUSTED_HOSTS(?:="|:-)([^"}$]+)["}]', re.sub("(?m)^#.*", "", text))
    assert set(hosts.split(";")) == set(THIS_MACHINE)


def test_every_application_of_compose_has_trusted_hosts() -> None:
    text = (ROOT / "compose.yaml").read_text()
    # The two single servers, and the cluster's head, which sets up the application of all machines.
    assert text.count("CBAM_LENS_TRUSTED_HOSTS: *hosts") == 3
