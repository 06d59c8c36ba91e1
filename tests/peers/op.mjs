// node op.mjs PACKAGES: a real OpenID provider (npm oidc-provider, found in the folder PACKAGES) on a free loopback port.
//
// It knows one client, `authdeck-conf` with the secret `sec`, for the device, code and refresh grants, and approves
// whoever comes to its pages. It prints `READY PORT` when it serves, and lives as long as its standard input is open.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const packages = createRequire(`${process.argv[2]}/x.js`);
const { Provider } = await import(packages.resolve('oidc-provider'));

const configuration = {
  clients: [{
    client_id: 'authdeck-conf',
    client_secret: 'sec',
    token_endpoint_auth_method: 'client_secret_basic',
    application_type: 'native',
    redirect_uris: ['http://localhost/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
  }],
  features: {
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  scopes: ['openid', 'offline_access', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
  cookies: { keys: ['test-only'] },
  rotateRefreshToken: true,
  issueRefreshToken: async (_context, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  findAccount: async (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@example.com`, name: id }),
  }),
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, configuration);
  provider.on('server_error', (_context, error) => console.error('server_error', error));
  server.on('request', provider.callback());
  console.log(`READY ${port}`);
});
process.stdin.resume().on('end', () => process.exit(0));
