// Stands in the bundle for node:tls, which is loaded when something of it is first called: at once Node parses all its
// root certificates in a thread, 15 ms of a processor that a connection without TLS never needs.
const tls = () => require('node:tls');
module.exports = {
  checkServerIdentity: (...args) => tls().checkServerIdentity(...args),
  connect: (...args) => tls().connect(...args),
  // The NATS client asks whether a socket is one.
  TLSSocket: { [Symbol.hasInstance]: (socket) => socket?.encrypted === true },
};
