/**
 * What an Ingress leads to: HTTP and WebSockets on 8080, gRPC without TLS on 9090.
 *   /hints      103 Early Hints, then an answer
 *   /trailers   chunks and a trailer
 *   /check      200 for the cookie `good`, with the header X-User; else 401
 *   WebSocket   every message comes back as `echo MESSAGE`
 *   echo.Echo   Unary and Stream (both ways) give texts back as `echo TEXT`; Fail says NOT_FOUND and `nothing here`
 */
import { createServer } from 'node:http';
import grpc from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';

const answers = {
  '/hints': (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end('hinted');
  },
  '/trailers': (_, response) => {
    response.writeHead(200, { Trailer: 'X-Checksum' });
    response.write('first ');
    response.addTrailers({ 'X-Checksum': '42' });
    response.end('second');
  },
  '/check': (request, response) => {
    const isGood = request.headers.cookie === 'good';
    response.writeHead(isGood ? 200 : 401, isGood ? { 'X-User': 'somebody' } : {}).end();
  },
};

const server = createServer((request, response) => {
  const answer = answers[request.url ?? ''];
  if (answer !== undefined) answer(request, response);
  else response.end(JSON.stringify({ url: request.url, httpVersion: request.httpVersion, headers: request.headers }));
});
server.listen(8080);
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(isBinary ? data : `echo ${data}`));
});

const text = {
  requestSerialize: (value) => Buffer.from(value),
  requestDeserialize: (bytes) => String(bytes),
  responseSerialize: (value) => Buffer.from(value),
  responseDeserialize: (bytes) => String(bytes),
};
const rpc = new grpc.Server();
rpc.addService(
  {
    Unary: { path: '/echo.Echo/Unary', requestStream: false, responseStream: false, ...text },
    Fail: { path: '/echo.Echo/Fail', requestStream: false, responseStream: false, ...text },
    Stream: { path: '/echo.Echo/Stream', requestStream: true, responseStream: true, ...text },
  },
  {
    Unary: ({ request }, done) => done(null, `echo ${request}`),
    Fail: (_, done) => done({ code: grpc.status.NOT_FOUND, details: 'nothing here' }),
    Stream: (call) => {
      call.on('data', (value) => call.write(`echo ${value}`));
      call.on('end', () => call.end());
    },
  },
);
rpc.bindAsync('0.0.0.0:9090', grpc.ServerCredentials.createInsecure(), () => {});
process.on('SIGTERM', () => process.exit(0));
