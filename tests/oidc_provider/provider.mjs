// Runs OpenID providers on loopback with TLS, each on a port of its own. Standard input: one line of JSON, a list of
// their settings. Standard output: one line with their issuers, once they answer. It ends with standard input.
//
// Settings: clients, key and certificate; configuration of oidc-provider; issuer, if another than its address is to be
// published; path, below which it is mounted; keys, which replace what it publishes; claims, which
// every account has besides sub.
import https from 'node:https';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

async function start({ clients, key, certificate, configuration, issuer, path = '', keys, claims }) {
  let handle;
  const server = https.createServer({ key, cert: certificate }, (request, response) => handle(request, response));
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const address = `https://localhost:${server.address().port}${path}`;
  const findAccount = (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...claims }) });
  const settings = { clients, findAccount, cookies: { keys: ['of a test'] }, ...configuration };
  const provider = new Provider(issuer ?? address, settings);
  provider.use(async (context, next) => {
    await next();
    if (context.oidc?.route === 'jwks' && keys) context.body = { keys };
  });
  const callback = provider.callback();
  handle = (request, response) => {
    request.originalUrl = request.url;
    request.url = request.url.startsWith(path) ? request.url.slice(path.length) || '/' : '/nothing-here';
    callback(request, response);
  };
  return address;
}

const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit(0));
input.once('line', async (line) => {
  console.log(JSON.stringify({ issuers: await Promise.all(JSON.parse(line).map(start)) }));
});
