// The function node behind the request: passes amojo's id on, or says that it did not take the message.
const taken = msg.statusCode === 200;
msg.payload = taken ? { id: msg.id, amojo_id: msg.payload.new_message.msgid } : {};
msg.statusCode = taken ? 200 : 502;
msg.headers = {};
return msg;
