import pytest

from daemon.detection.rules_document import read_documents


def test_documents_know_where_they_and_their_keys_stand() -> None:
    text = "# comment\ntitle: A\nlist:\n    - x: 1\n    - y: 2\n---\n# more\ntitle: B\nmap:\n    deep: [1, 2]\n"
    (first, second), problems = read_documents("r.yml", text)
    assert problems == []
    assert (first.data["title"], second.data["title"]) == ("A", "B")
    assert [first.line_of(*keys) for keys in ((), ("title",), ("list", 1, "y"), ("list", 9), ("none",))] == [
        2, 2, 5, 3, 2,
    ]  # fmt: skip
    assert [second.line_of(*keys) for keys in ((), ("title",), ("map", "deep"), ("map", "deep", 1))] == [8, 8, 10, 10]


def test_a_broken_document_leaves_its_neighbours_alone() -> None:
    documents, problems = read_documents("r.yml", "title: A\n---\nb: [\n---\ntitle: C\n")
    assert [document.data["title"] for document in documents] == ["A", "C"]
    assert [(problem.line, problem.key) for problem in problems] == [(3, "(yaml)")]


def test_markers_inside_a_block_of_text_are_text() -> None:
    documents, _ = read_documents("r.yml", "title: A\ndescription: |\n    ---\n    x\n")
    assert documents[0].data["description"] == "---\nx\n"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "expected a rule (the file is empty)"),
        ("---\n# nothing\n...\n", 1, "expected a rule (the file is empty)"),
        ("\n- a\n", 2, "expected keys and values"),
        ("a: 1\nb: \ufffd\n", 2, "expected UTF-8 text (got bytes that are not)"),
        ("a:\n    b: 1\n    b: 2\n", 3, "expected each key once"),
        ("a: 1\n5: 2\n", 2, "expected keys that are text (got 5)"),
        ("a: 1\nyes: 2\n", 2, "expected keys that are text (got yes)"),
        ("a: 1\nb: *c\n", 2, "expected valid YAML (found undefined alias)"),
        ("a: 1\nb: \x01\n", 2, "expected valid YAML (control characters are not allowed)"),
        (
            "a: 1\nb: !!python/name:os.system x\n",
            2,
            "expected valid YAML (could not determine a constructor for the tag",
        ),
    ],
)
def test_what_is_no_rule_is_a_problem_with_its_line(text: str, line: int, expected: str) -> None:
    documents, problems = read_documents("r.yml", text)
    assert documents == []
    assert [(problem.line, problem.expected[: len(expected)]) for problem in problems] == [(line, expected)]


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 100_000 + "]" * 100_000, "a: &x [*x]\n", "- " * 100_000 + "a", "a: [" + "1," * 50_000 + "1]",
     "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{n}: &{n} [{','.join([f'*{m}'] * 9)}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True))],
    ids=["flow", "cycle", "sequences", "long", "bomb"],
)  # fmt: skip
def test_bombs_are_problems(text: str) -> None:
    documents, problems = read_documents("r.yml", text)
    assert documents == []
    assert len(problems) == 1
    assert len(str(problems[0])) < 200


def test_the_revision_changes_with_the_text_alone() -> None:
    def revision(text: str) -> str:
        return read_documents("r.yml", text)[0][-1].revision

    assert revision("title: A\n") == revision("x: 1\n---\ntitle: A\n\n")
    assert revision("title: A\n") != revision("title: B\n")


def test_the_line_of_every_part_is_known_and_of_what_is_not_there_that_of_what_it_would_be_in() -> None:
    text = "a: 1\nb:\n    - x\n    - y:\n          z: [1,\n              2]\n      w: &anchor {k: 1}\nc:\n    *anchor\n"
    document = read_documents("r.yml", f"\n{text}")[0][0]
    lines = {
        (): 2, ("a",): 2, ("a", "b"): 2, ("b",): 3, ("b", 0): 4, ("b", 1): 5, ("b", 1, "y"): 5, ("b", 1, "y", "z"): 6,
        ("b", 1, "y", "z", 1): 7, ("b", 1, "w"): 8, ("b", 1, "w", "k"): 8, ("c",): 9, ("c", "k"): 8, ("b", 2): 3,
        ("b", "x"): 3, ("b", 0, 0): 4, ("b", 1, 0): 5, ("none",): 2,
    }  # fmt: skip
    assert {keys: document.line_of(*keys) for keys in lines} == lines
