// The function node before the request: checks a message, builds amojo's body, signs it.
const crypto = global.get("crypto");
const message = msg.payload;
const refuse = (status) => [null, { ...msg, statusCode: status, payload: {}, headers: {} }];

if (msg.req.headers.authorization !== "Bearer " + env.get("BENCH_API_KEY")) return refuse(401);
if (!message || !message.id || !message.conversation_id || !message.sender || !message.message) return refuse(422);
if (typeof message.message.text !== "string") return refuse(422);

const now = Date.now();
const path = "/v2/origin/custom/" + env.get("BENCH_SCOPE");
const body = JSON.stringify({
  event_type: "new_message",
  payload: {
    timestamp: Math.floor(now / 1000),
    msec_timestamp: now,
    msgid: message.id,
    conversation_id: message.conversation_id,
    silent: false,
    sender: { id: message.sender.id, name: message.sender.name, profile: { phone: message.sender.phone } },
    message: { type: message.message.type, text: message.message.text },
  },
});
const date = new Date(now).toUTCString().replace("GMT", "+0000");
const md5 = crypto.createHash("md5").update(body).digest("hex");
const text = ["POST", md5, "application/json", date, path].join("\n");

msg.id = message.id;
msg.url = env.get("BENCH_FAR_SIDE") + path;
msg.headers = {
  "Date": date,
  "Content-Type": "application/json",
  "Content-MD5": md5,
  "X-Signature": crypto.createHmac("sha1", env.get("BENCH_SECRET")).update(text).digest("hex"),
};
msg.payload = body;
return [msg, null];
