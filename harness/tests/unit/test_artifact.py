"""What an artifact is packed from, and what a reviewer's check finds in it."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness import catalogue
from harness.analysis.study import Study
from harness.cli import main as cli
from harness.errors import ExitCode, StoreError, UsageError
from harness.host.process import ProcessFailed
from harness.measure.images import lock
from harness.model.record import Record
from harness.paths import Paths, checkout_root
from harness.store import read_reference
from harness.tests import synthetic
from harness.tracking.artifact.agreement import disagreement
from harness.tracking.artifact.appendix import Cost
from harness.tracking.artifact.bundle import open_bundle, write_bundle
from harness.tracking.artifact.check import Finding, check
from harness.tracking.artifact.checklist import Badge, Line
from harness.tracking.artifact.pack import Done, Order, pack
from harness.tracking.artifact.sources import check_sources, committed_sources

Rexen = Callable[..., int]
Capture = pytest.CaptureFixture[str]
PATHS = Paths.of(checkout_root())
COPIED = ("README.md", "LICENSE", "CITATION.cff", "inputs.lock", "requirements.lock")


def git(folder: Path, *words: str) -> str:
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_AUTHOR_DATE": "2003-10-19T12:00Z",
    }
    who |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **who},
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkout with the real lock and reference, a program, a link, and names that git
    sorts otherwise than a dictionary does."""
    root = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        shutil.copy(PATHS.root / name, root / name)
    for name in ("a/deep/file", "a.b", "a-b", "baselines/README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "run").write_text("#!/bin/sh\n")
    (root / "run").chmod(0o755)
    (root / "link").symlink_to("a/deep/file")
    reference = root / "results" / "reference" / "quick.json"
    reference.parent.mkdir(parents=True)
    shutil.copy(PATHS.reference("quick"), reference)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "all: everything")
    return root


@pytest.fixture(scope="module")
def study() -> Study:
    """Of the reference results."""
    workloads = catalogue.load_workloads(PATHS)
    experiments = catalogue.load_experiments(PATHS.experiments, workloads)
    return Study.of(
        read_reference(PATHS.reference("quick")),
        systems=catalogue.load_systems(PATHS),
        workloads=workloads,
        experiments=experiments,
        claims=catalogue.load_claims(PATHS.experiments, experiments),
    )


def drawn(sources: Path, records: Sequence[Record], profile: str) -> Mapping[str, bytes]:
    """In place of a report: as much as tells whether it was given the right things."""
    text = f"{profile} {(sources / 'run').read_text()} {[one.outcome for one in records]}"
    return {"index.html": text.encode(), "data.csv": b"1,2\n"}


def versions(text: str, where: str) -> Mapping[str, str]:
    return {name: it.version for name, it in lock.parse(text, where).packages.items()}


def order(repository: Path, study: Study) -> Order:
    return Order(
        root=repository,
        sources=committed_sources(repository),
        records={"quick": read_reference(PATHS.reference("quick"))},
        study=study,
        packages=versions((repository / "inputs.lock").read_text(), "inputs.lock"),
        repeated=3,
        image=None,
        cost=Cost({("osdb", "rexen"): 90.0}, 60_000),
    )


@pytest.fixture(scope="module")
def packed(
    repository: Path, study: Study, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Done]:
    file = tmp_path_factory.mktemp("packed") / "one.tar"
    return file, pack(file, order(repository, study), drawn)


def checked(file: Path, folder: Path) -> list[Finding]:
    with open_bundle(file) as bundle:
        return list(check(bundle, folder / "sources", read_lock=versions, render=drawn))


def changed(file: Path, to: Path, **contents: bytes) -> Path:
    """The archive with other files, and a manifest that agrees with them."""
    names = {name.replace(".", "_").replace("/", "_"): name for name in parts(file)}
    with open_bundle(file) as bundle:
        old = {name: bundle.read(name) for name in bundle.manifest.parts}
        write_bundle(
            to, {**old, **{names[it]: new for it, new in contents.items()}}, bundle.manifest.about
        )
    return to


def parts(file: Path) -> list[str]:
    with open_bundle(file) as bundle:
        return list(bundle.manifest.parts)


def content(file: Path, name: str) -> bytes:
    with open_bundle(file) as bundle:
        return bundle.read(name)


# The sources.


def test_the_sources_make_gits_own_tree(repository: Path) -> None:
    sources = committed_sources(repository)
    said = check_sources(sources.commit, sources.object, sources.archive)
    assert git(repository, "rev-parse", "HEAD^{tree}")[:12] in said
    assert sources.commit == git(repository, "rev-parse", "HEAD")
    assert sources.subject == "all: everything"


def with_member(archive: bytes, name: str, mode: int | None = None, text: bytes = b"") -> bytes:
    """The sources with one file changed."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as tar,
        tarfile.open(fileobj=out, mode="w") as to,
    ):
        for member in tar.getmembers():
            stream = tar.extractfile(member) if member.isreg() else None
            if member.name == name:
                member.mode = mode or member.mode
                if text:
                    member.size, stream = len(text), io.BytesIO(text)
            to.addfile(member, stream)
    return out.getvalue()


def test_other_sources_are_not_the_commits(repository: Path) -> None:
    sources = committed_sources(repository)
    same = with_member(sources.archive, "a.b")
    check_sources(sources.commit, sources.object, same)
    for other in (
        with_member(sources.archive, "a.b", text=b"other"),
        with_member(sources.archive, "run", mode=0o644),
        sources.archive[:1024],
    ):
        with pytest.raises(StoreError, match=r"are not those of commit|no whole tar"):
            check_sources(sources.commit, sources.object, other)
    with pytest.raises(StoreError, match="commit object in it is not that of"):
        check_sources(sources.commit, sources.object + b"\n", sources.archive)


def test_changes_in_no_commit_are_not_packed(repository: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(repository, copy, symlinks=True)
    committed_sources(copy)
    (copy / "a.b").write_text("changed")
    with pytest.raises(UsageError, match="changes that are in no commit"):
        committed_sources(copy)
    shutil.rmtree(copy / ".git")
    with pytest.raises(UsageError, match="is no git checkout"):
        committed_sources(copy)


# Lock and records.


def test_lock_and_records_agree_as_far_as_these_say() -> None:
    records = [synthetic.record("native", "controls")]
    good = {"qemu-system-x86": "1:10.0.13+ds", "linux-image-6.12.48+deb13-amd64": "6.12.48-1"}
    assert disagreement(records, good) == ""
    assert "the lock has 1:10.1" in disagreement(records, {**good, "qemu-system-x86": "1:10.1"})
    without = {"qemu-system-x86": "1:10.0.13+ds"}
    assert "ran kernel 6.12.48+deb13-amd64, which" in disagreement(records, without)
    unlike = replace(records[0].host, host={"inputs": "not as inputs.lock has it: gcc"})
    assert "gcc" in disagreement([replace(records[0], host=unlike)], good)


# Packing and checking.


def test_packing_twice_gives_the_same_bytes(
    repository: Path, study: Study, packed: tuple[Path, Done], tmp_path: Path
) -> None:
    again = tmp_path / "of-another-name.tar"
    pack(again, order(repository, study), drawn)
    assert again.read_bytes() == packed[0].read_bytes()


def test_a_good_artifact_passes(packed: tuple[Path, Done], tmp_path: Path) -> None:
    found = checked(packed[0], tmp_path)
    assert [one.what for one in found if one.ok] == [
        "files",
        "sources",
        "copies",
        "lock and quick records",
        "report of quick",
    ]
    assert len(found) == 5


def other_words(found: Sequence[Finding]) -> dict[str, str]:
    return {one.what: one.evidence for one in found if not one.ok}


def test_a_report_of_other_bytes_is_found(packed: tuple[Path, Done], tmp_path: Path) -> None:
    file = changed(packed[0], tmp_path / "x.tar", report_quick_index_html=b"better numbers")
    assert other_words(checked(file, tmp_path)) == {
        "report of quick": "made anew it has other bytes: index.html"
    }


def test_records_that_the_commit_does_not_have_are_found(
    packed: tuple[Path, Done], tmp_path: Path
) -> None:
    text = content(packed[0], "records/quick.json")
    file = changed(
        packed[0],
        tmp_path / "x.tar",
        records_quick_json=re.sub(rb'"total_ns":\d+', b'"total_ns":1', text, count=1),
    )
    found = other_words(checked(file, tmp_path))
    assert found["copies"] == "not as in the sources: records/quick.json"
    assert "report of quick" in found


def test_another_lock_is_found(packed: tuple[Path, Done], tmp_path: Path) -> None:
    text = (
        content(packed[0], "inputs.lock")
        .replace(b"package qemu-system-x86 1:10.0.13", b"package qemu-system-x86 1:10.0.14")
        .replace(b"package qemu-system-", b"package other-")
    )
    found = other_words(checked(changed(packed[0], tmp_path / "x.tar", inputs_lock=text), tmp_path))
    assert found["copies"] == "not as in the sources: inputs.lock"
    assert "the lock has no emulator" in found["lock and quick records"]


def test_sources_that_were_changed_are_not_run(packed: tuple[Path, Done], tmp_path: Path) -> None:
    sources = with_member(content(packed[0], "source.tar"), "run", text=b"#!/bin/evil\n")
    file = changed(packed[0], tmp_path / "x.tar", source_tar=sources)
    with pytest.raises(StoreError, match="the sources are not those of commit"):
        checked(file, tmp_path)
    assert not (tmp_path / "sources").exists()


def test_damaged_records_are_named_as_the_archive_has_them(
    packed: tuple[Path, Done], tmp_path: Path
) -> None:
    file = changed(packed[0], tmp_path / "x.tar", records_quick_json=b"[{}]")
    with pytest.raises(StoreError, match=r"^records/quick\.json, record 1: record of format None"):
        checked(file, tmp_path)


# The checklist and the appendix.


def line(done: Done, badge: Badge, start: str) -> Line:
    (found,) = [it for it in done.lines if it.badge is badge and it.text.startswith(start)]
    return found


def test_the_checklist_passes_what_is_there_and_fails_what_is_not(
    packed: tuple[Path, Done], study: Study
) -> None:
    file, done = packed
    assert line(done, Badge.AVAILABLE, "a licence").ok
    assert not line(done, Badge.AVAILABLE, "kept by a public archive").ok
    documented = line(done, Badge.FUNCTIONAL, "documented")
    assert (documented.ok, documented.evidence) == (False, "no ARCHITECTURE.md; results/README.md")
    assert not line(done, Badge.FUNCTIONAL, "exercisable without").ok
    repeated = line(done, Badge.REPRODUCED, "every cell run again")
    assert not repeated.ok and repeated.evidence.startswith(f"3 of {len(study.records)} ")
    text = content(file, "CHECKLIST.md").decode()
    assert text.count("| pass |") == sum(it.ok for it in done.lines)
    assert text.count("| FAIL |") == sum(not it.ok for it in done.lines) > 0
    with open_bundle(file) as bundle:
        assert len(bundle.manifest.about["checklist"]) == len(done.lines)


def test_a_store_that_ran_every_cell_again_passes_that_line(
    repository: Path, study: Study, tmp_path: Path
) -> None:
    wanted = replace(order(repository, study), repeated=len(study.records))
    done = pack(tmp_path / "x.tar", wanted, drawn)
    assert line(done, Badge.REPRODUCED, "every cell run again").ok


def commands(text: str) -> list[list[str]]:
    return [shlex.split(it) for it in text.splitlines() if it.startswith("      ./rexen ")]


def test_every_claim_has_a_command_that_rexen_understands(
    packed: tuple[Path, Done], study: Study
) -> None:
    text = content(packed[0], "APPENDIX.md").decode()
    found = commands(text)
    assert len(found) == text.count("### Claim ") > 20
    systems = study.systems.keys()
    for words in found:
        options = cli.parse(words[1:])
        assert options.reference and options.profile == "quick"
        assert study.base.id in options.system and set(options.system) <= systems
        assert set(options.workload) <= study.workloads.keys()
    for claim in study.claims:
        assert f"### Claim {claim.id}\n" in text or f"- **{claim.id}** " in text


def test_a_claim_says_what_it_takes(packed: tuple[Path, Done]) -> None:
    """R6 looks at OSDB on native, xen and rexen; only the last is known to take any time."""
    text = content(packed[0], "APPENDIX.md").decode()
    claim = text[text.index("### Claim R6\n") :].partition("\n### ")[0]
    assert "- Takes: 3 cells, 90 s, 0.2 MB\n" in claim
    assert "--workload osdb" in claim and "- Expected: `rexen`: " in claim


def test_the_citation_is_as_its_schema_wants_it() -> None:
    from check_jsonschema.builtin_schemas import get_builtin_schema
    from jsonschema import Draft7Validator
    from ruamel.yaml import YAML

    document = json.loads(
        json.dumps(YAML(typ="safe").load(PATHS.root / "CITATION.cff"), default=str)
    )
    validator = Draft7Validator(get_builtin_schema("vendor.citation-file-format"))
    assert not [error.message for error in validator.iter_errors(document)]
    assert [*validator.iter_errors({**document, "type": "novel"})]


# The verb.


def test_options_of_the_other_action_are_refused(rexen: Rexen, capsys: Capture) -> None:
    assert rexen("artifact", "pack", "x.tar", "--run") == ExitCode.USAGE
    assert rexen("artifact", "check", "x.tar", "--image", "y") == ExitCode.USAGE
    assert capsys.readouterr().err.count("\n") == 2


def test_a_bad_archive_is_one_line_and_an_exit_code(
    rexen: Rexen, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "x.tar"
    file.write_bytes(b"nothing" * 1000)
    assert rexen("artifact", "check", str(file)) == ExitCode.STORE
    complaint = capsys.readouterr().err
    assert (
        complaint.startswith(f"rexen: {file} is no whole artifact") and complaint.count("\n") == 1
    )


def test_sources_without_a_report_to_make_are_one_line(
    rexen: Rexen, packed: tuple[Path, Done], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small checkout has no harness, and the one this is called from must not stand in."""
    monkeypatch.chdir(PATHS.root)
    assert rexen("artifact", "check", str(packed[0])) == ExitCode.STORE
    shown = capsys.readouterr()
    assert "the packed sources make no report of the quick records" in shown.err
    assert shown.err.count("\n") == 1 and "ok      sources" in shown.out


def test_cells_are_measured_again_by_the_packed_sources_and_their_end_is_ours(
    rexen: Rexen, packed: tuple[Path, Done], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.tracking.artifact import render

    calls: list[list[str]] = []
    status = 0

    def run(sources: Path, arguments: Sequence[str], *, log: Path, wall_s: float) -> None:
        assert (sources / "run").exists()
        calls.append(list(arguments))
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("starting\n6 of 7 identical\n")
        if status:
            failed = ProcessFailed("python failed")
            failed.status = status
            raise failed

    monkeypatch.setattr(render, "rexen", run)
    monkeypatch.setattr(render, "render", lambda *given, log: drawn(*given))
    check = ("artifact", "check", str(packed[0]), "--jobs", "1", "--run")
    assert rexen(*check, "table3") == ExitCode.OK
    assert "run: 6 of 7 identical" in capsys.readouterr().out
    ((verb, *options),) = calls
    assert verb == "verify" and options[:3] == ["--reference", "--profile", "quick"]
    assert options[3:7] == ["--experiment", "table3", "--jobs", "1"]
    status = int(ExitCode.DIFFERENT)
    assert rexen(*check) == ExitCode.DIFFERENT
    assert "--experiment" not in calls[-1]
    assert "run: 6 of 7 identical" in capsys.readouterr().out
