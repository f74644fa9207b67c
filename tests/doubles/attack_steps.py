"""One step of an attack as a value: what it does to a story."""

from collections.abc import Callable
from typing import Any

from tests.doubles.host_story import Story

Step = Callable[[Story], None]
WEB: dict[str, Any] = {"user": "www-data", "session": False}
"""A process of a web server."""


def typed(*commands: str | list[str], **how: Any) -> Step:
    """Commands as an interactive shell starts them: one program each."""

    def play(story: Story) -> None:
        for command in commands:
            story.run(command, **how)

    return play


def shell(script: str, **how: Any) -> Step:
    """A script handed to a shell by `-c`."""

    def play(story: Story) -> None:
        story.shell(script, **how)

    return play


def wrote(*paths: str, **how: Any) -> Step:
    """Files written."""

    def play(story: Story) -> None:
        for path in paths:
            story.write(path, **how)

    return play


def said(program: str, *messages: str, times: int = 1, every: float = 1.0) -> Step:
    """Lines of syslog: each message `times` times."""

    def play(story: Story) -> None:
        for _ in range(times):
            for message in messages:
                story.wait(every)
                story.say(program, message)

    return play


def below(parent: str | list[str], child: str | list[str], *, user: str, session: bool, child_user: str = "") -> Step:
    """A program that starts another."""

    def play(story: Story) -> None:
        pid = story.run(parent, user=user, session=session)
        story.run(child, user=child_user or user, session=session, parent=pid)

    return play


def record(text: str) -> Step:
    """An audit record by itself."""
    return lambda story: story.record(text)


def steps(*parts: Step, every: float = 0.0) -> Step:
    """One after the other."""

    def play(story: Story) -> None:
        for part in parts:
            part(story)
            story.wait(every)

    return play
