import aiohttp

from daemon.cli.demo.receiver import Receiver
from daemon.cli.demo.stage import new_secret


async def test_what_is_not_signed_is_refused() -> None:
    receiver = Receiver(new_secret())
    async with receiver.listening(), aiohttp.ClientSession() as session:
        response = await session.post(f"http://127.0.0.1:{receiver.port}/alerts", data=b"{}")
        assert response.status == 401
        response.release()

    assert (receiver.refused, receiver.accepted) == (1, [])
