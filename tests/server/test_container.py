"""The container's files: they answer to this machine's names alone unless told otherwise, and name images by digest."""

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


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("Dockerfile", r"(?m)^# (.+\n)ARG PYTHON_IMAGE=(.*)$"), ("compose.yaml", r"(?m)^ *# (.+\n) *image: (.*[/@:].*)$")],
)
def test_images_of_others_are_named_by_digest_and_their_tag_in_a_comment(name: str, pattern: str) -> None:
    ((comment, image),) = re.findall(pattern, (ROOT / name).read_text())
    assert re.fullmatch(r"[a-z/-]+@sha256:[0-9a-f]{64}", image)
    assert re.search(r"\d+\.\d+\.\d+-\w+", comment)


def test_every_stage_starts_from_the_image_that_is_named_by_digest() -> None:
    stages = re.findall("(?m)^FROM (\\S+)", (ROOT / "Dockerfile").read_text())
    assert stages == ["$PYTHON_IMAGE"] * 2


def test_compose_names_no_image_by_tag() -> None:
    images = re.findall("(?m)^ *image: (.+)$", (ROOT / "compose.yaml").read_text())
    assert {image.split("@")[0] for image in images} == {"cbam-lens", "cbam-lens-cuda", "nginxinc/nginx-unprivileged"}
