"""The README's example, run as it stands: a newcomer pastes it."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.bridge import eventually
from tests.pages.test_whole_demo import Demo, free_port

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## Connect a messenger") : README.index("## Run it for real")]


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found is not None
    return found.group(1)


async def test_the_example_carries_a_message_and_an_answer(tmp_path: Path) -> None:
    demo, backend_port = Demo(tmp_path), free_port()
    ports = {"8080": demo.port, "8090": demo.sandbox_port, "8070": backend_port}

    def here(text: str) -> str:
        return re.sub(r"80(80|90|70)\b", lambda port: str(ports[port[0]]), text)

    await demo.start()
    (tmp_path / "backend.py").write_text(here(block("python")), encoding="utf-8")
    shell = await asyncio.create_subprocess_exec("bash", "-euc", here(block("sh")), cwd=tmp_path)
    assert await shell.wait() == 0
    backend = await asyncio.create_subprocess_exec(sys.executable, "backend.py", cwd=tmp_path)
    try:
        crm = f"http://127.0.0.1:{demo.sandbox_port}/sandbox/chats"
        async with aiohttp.ClientSession() as http:
            await eventually(lambda: newest(http, crm, "This one?"), "the message is in the inbox")
            (chat,) = await chats(http, crm)
            answer = {"message": {"type": "text", "text": "Yes"}}
            async with http.post(f"{crm}/{chat['id']}/messages", json=answer) as written:
                assert written.status == 201
            echoed = "You said: Yes"
            await eventually(lambda: newest(http, crm, echoed), "the backend got the answer")
    finally:
        backend.terminate()
        await backend.wait()
        assert await demo.stop() == 0


async def chats(http: aiohttp.ClientSession, address: str) -> Any:
    async with http.get(address) as answer:
        return (await answer.json())["chats"]


async def newest(http: aiohttp.ClientSession, address: str, text: str) -> bool:
    return [chat["last_message"]["text"] for chat in await chats(http, address)] == [text]
