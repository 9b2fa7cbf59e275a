"""The same bridge as `naive`, on FastAPI and httpx, served by uvicorn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request

from bench.contestants.amojo import (
    AUTHORIZATION,
    CRM_URL,
    PORT,
    Message,
    new_message,
    signed_headers,
)


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[None]:
    """Keep one client while the server runs."""
    async with httpx.AsyncClient(timeout=15) as app.state.http:
        yield


app = FastAPI(lifespan=client)


@app.post("/v1/messages")
async def take(
    message: Message, request: Request, authorization: Annotated[str, Header()] = ""
) -> dict[str, str]:
    """Forward one message."""
    if authorization != AUTHORIZATION:
        raise HTTPException(401)
    body = new_message(message)
    http: httpx.AsyncClient = request.app.state.http
    answer = await http.post(CRM_URL, content=body, headers=signed_headers(body))
    if answer.status_code != 200:
        raise HTTPException(502)
    return {"id": message.id, "amojo_id": answer.json()["new_message"]["msgid"]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, access_log=False, log_level="warning")
