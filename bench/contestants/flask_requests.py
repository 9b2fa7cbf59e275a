"""The same bridge as `naive`, on Flask and requests, served by gunicorn: two processes with 32 threads each."""

import requests
from flask import Flask, Response, abort, jsonify, request
from pydantic import ValidationError
from requests.adapters import HTTPAdapter

from bench.contestants.amojo import AUTHORIZATION, CRM_URL, Message, new_message, signed_headers

app = Flask(__name__)
http = requests.Session()
http.mount("http://", HTTPAdapter(pool_maxsize=32))


@app.post("/v1/messages")
def take() -> Response:
    """Forward one message."""
    if request.headers.get("Authorization") != AUTHORIZATION:
        abort(401)
    try:
        message = Message.model_validate_json(request.get_data())
    except ValidationError as error:
        abort(422, error.json())
    body = new_message(message)
    answer = http.post(CRM_URL, data=body, headers=signed_headers(body), timeout=15)
    if answer.status_code != 200:
        abort(502)
    return jsonify(id=message.id, amojo_id=answer.json()["new_message"]["msgid"])
