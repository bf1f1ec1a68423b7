"""The images of the tests: what is written, what is passed to pip, when an image is built anew."""

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes import packages
from tests.kubernetes.images import project, recipe
from tests.kubernetes.images.archive import File, Folder, Link, write_archive, write_layer
from tests.kubernetes.images.pip import INSIDE, parse_options, pip_volumes
from tests.kubernetes.images.recipe import ImageError, Recipe
from tests.kubernetes.packages import PackageError, ensure_packages
from tests.kubernetes.progress import CommandError


def test_an_archive_names_its_image_and_its_layers_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"binary")
    entries = {"bin/program": File(tmp_path / "program", 0o755), "bin/other": Link("program"), "tmp": Folder(0o1777)}
    layers = [write_layer(tmp_path / "first", entries), write_layer(tmp_path / "second", {"note": File(b"text")})]
    write_archive(tmp_path / "image.tar", "test.local/thing:1", {"Cmd": ["program"]}, layers)

    with tarfile.open(tmp_path / "image.tar") as archive:

        def read(name: str) -> Any:
            file = archive.extractfile(name)
            assert file
            return json.load(file)

        [image] = read("manifest.json")
        assert image["RepoTags"] == ["test.local/thing:1"]
        settings = read(image["Config"])
        assert settings["config"] == {"Cmd": ["program"]}
        assert [f"sha256:{name.removesuffix('/layer.tar')}" for name in image["Layers"]] == settings["rootfs"][
            "diff_ids"
        ]
        with tarfile.open(fileobj=archive.extractfile(image["Layers"][0])) as layer:
            members = {member.name: member for member in layer}
    assert (members["bin/program"].mode, members["bin/program"].size) == (0o755, 6)
    assert members["bin/other"].linkname == "program"
    assert (members["tmp"].isdir(), members["tmp"].mode) == (True, 0o1777)
    assert {(member.uid, member.mtime) for member in members.values()} == {(0, 0)}


OPTIONS = {
    "what is about this machine stays here": ("global.cache-dir='/var/cache'\ninstall.user='true'\n", {}),
    "sections are merged": (
        "global.index-url='https://a.example/simple'\ninstall.trusted-host='a.example'\n",
        {"index-url": "https://a.example/simple", "trusted-host": "a.example"},
    ),
    "the environment wins": ("global.timeout='1'\ninstall.timeout='2'\n:env:.timeout='3'\n", {"timeout": "3"}),
    "options of other commands do not count": ("download.index-url='https://a.example'\n", {}),
    "a value may have any characters": ('global.proxy="http://it\'s=x"\n', {"proxy": "http://it's=x"}),
    "there is nothing": ("", {}),
}


@pytest.mark.parametrize("listed", OPTIONS)
def test_pip_in_an_image_is_told_where_packages_come_from(listed: str) -> None:
    printed, expected = OPTIONS[listed]
    assert parse_options(printed) == expected


def test_pips_settings_are_files_beside_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, wheels = tmp_path / "ca.pem", tmp_path / "wheels"
    authority.write_text("CA")
    wheels.mkdir()
    for name, value in {"CERT": authority, "FIND_LINKS": f"{wheels} https://example.org/wheels"}.items():
        monkeypatch.setenv(f"PIP_{name}", str(value))
    settings = tmp_path / "pip"
    assert pip_volumes(settings) == [f"{settings}:{INSIDE}:ro", f"{wheels}:{wheels}:ro"]
    assert (settings / "cert").read_text() == "CA"
    assert f"cert = {INSIDE}/cert" in (settings / "pip.conf").read_text()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that an image is made of; the cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "source"
    path.write_text("one")
    return path


@pytest.fixture
def built(source: Path) -> Recipe:
    """An image that is a copy of its source, and counts how often it was built in `builds`."""

    def build(archive: Path, scratch: Path) -> None:
        (scratch / "half").write_text("in between")
        archive.write_text(source.read_text())
        with source.with_name("builds").open("a") as file:
            file.write("x")

    return Recipe("test.local/copy:1", lambda: [source], build)


def builds(source: Path) -> int:
    return len(source.with_name("builds").read_text())


def test_an_image_is_built_once(built: Recipe, source: Path) -> None:
    archive = built.ensure()
    assert (built.ensure(), archive.read_text(), builds(source)) == (archive, "one", 1)
    assert sorted(path.name for path in archive.parent.iterdir()) == [archive.name, "copy-1.lock"]


def test_an_image_is_built_anew_when_what_it_is_made_of_changes(built: Recipe, source: Path) -> None:
    old = built.ensure()
    source.write_text("two")
    new = built.ensure()
    assert (old.read_text(), new.read_text(), builds(source)) == ("one", "two", 2)


def test_the_images_used_last_stay(built: Recipe, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "KEPT", 2)
    archives = {}
    for content, used_at in (("one", 1000), ("two", 2000)):
        source.write_text(content)
        archives[content] = built.ensure()
        os.utime(archives[content], (used_at, used_at))
    for content in ("one", "three"):
        source.write_text(content)
        archives[content] = built.ensure()
    assert {name for name, archive in archives.items() if archive.exists()} == {"one", "three"}
    assert builds(source) == 3


def test_a_failed_build_says_why_and_leaves_nothing(source: Path) -> None:
    def fail(archive: Path, scratch: Path) -> None:
        archive.write_text("half")
        raise CommandError("buildah bud … failed with exit code 1", ["no space left on device"])

    broken = Recipe("test.local/broken:1", lambda: [source], fail)
    with pytest.raises(ImageError, match=r"test\.local/broken:1 could not be built: buildah(.|\n)*no space left"):
        broken.ensure()
    assert [path.name for path in recipe.images_directory().iterdir()] == ["broken-1.lock"]


def test_the_operators_image_is_made_of_what_its_dockerfile_copies() -> None:
    dockerfile = (project.PROJECT / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if re.match(r"COPY (?!--from)", line)]
    expected = {*project.COPIED, project.SOURCES} - {"Dockerfile"}
    assert {name for names in copied for name in names} == expected
    ignored = (project.PROJECT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == expected


MISSING = "a-package-that-debian-does-not-have"


def test_a_missing_package_is_asked_for_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    with pytest.raises(PackageError, match=f"sudo apt-get install --yes --no-install-recommends {MISSING}"):
        ensure_packages(MISSING)


def test_a_machine_without_apt_is_told_which_program_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(PackageError, match=r"Missing: nft\. Install them; Debian has them as nftables\."):
        ensure_packages("nftables")


def test_a_program_that_is_there_needs_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "buildah"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(packages, "PLACES", str(tmp_path))
    ensure_packages("buildah")
