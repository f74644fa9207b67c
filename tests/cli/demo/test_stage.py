from daemon.cli.demo.stage import free_port, new_secret, staged
from daemon.delivery.signature import parse_secret


async def test_a_stage_is_a_valid_configuration_and_leaves_nothing() -> None:
    secret = new_secret()
    async with staged(free_port(), secret) as stage:
        stage.append("auth.log", b"line\n")

        assert (stage.top / "auth.log").read_bytes() == b"line\n"
        assert {source.name for source in stage.config.sources} == {"audit", "auth", "host", "gpu"}
        assert await stage.stop() == 0
        top = stage.top

    assert not top.exists()
    assert len(parse_secret(secret)) == 32
