/** Says what it was asked, over HTTP on 80 and, with TLS_CERT and TLS_KEY, over HTTPS on 443; echoes upgraded connections. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

async function serve(request, response) {
  if (request.url === '/redirect') return response.writeHead(302, { Location: '/there' }).end();
  if (request.url === '/page')
    return response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="/one">1</a><a href="two">2</a>');
  if (request.url === '/slow') {
    response.write('first\n');
    return setTimeout(() => response.end('last\n'), 500);
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const { method, url, headers } = request;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, headers, body, secure: request.socket.encrypted === true }));
}

function upgrade(request, socket) {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
  );
  socket.pipe(socket);
}

createServer(serve).on('upgrade', upgrade).listen(80);
createSecureServer({ cert: readFileSync(process.env.TLS_CERT), key: readFileSync(process.env.TLS_KEY) }, serve)
  .on('upgrade', upgrade)
  .listen(443);
process.on('SIGTERM', () => process.exit(0));
