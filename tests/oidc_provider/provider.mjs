// Runs the OpenID provider on loopback with TLS. Standard input: one line of JSON with its clients, key and
// certificate. Standard output: one line
// with its issuer, once it answers. It ends with standard input.
import https from 'node:https';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit(0));
input.once('line', (line) => {
  const { clients, key, certificate } = JSON.parse(line);
  let handle;
  const server = https.createServer({ key, cert: certificate }, (request, response) => handle(request, response));
  server.listen(0, '127.0.0.1', () => {
    const issuer = `https://localhost:${server.address().port}`;
    handle = new Provider(issuer, { clients, cookies: { keys: ['of a test'] } }).callback();
    console.log(JSON.stringify({ issuer }));
  });
});
