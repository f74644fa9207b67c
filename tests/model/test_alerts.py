from daemon.model import Explanation


def test_an_explanation_cannot_decide_anything() -> None:
    """Rules decide, the model explains: the type of its answer has no field for anything else."""
    assert set(Explanation.__struct_fields__) == {
        "origin", "sentences", "next_steps", "model", "model_digest", "prompt_version", "took", "dropped",
    }  # fmt: skip
