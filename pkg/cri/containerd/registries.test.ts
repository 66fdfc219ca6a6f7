import { expect, test } from 'vitest';
import { type RegistriesFile, registrySettings } from './registries.ts';

test('mirrors, credentials and TLS become hosts.toml files', () => {
  const { files, auths } = registrySettings({
    mirrors: {
      'docker.io': { endpoint: ['https://mirror.example', 'http://plain.example:5000'] },
      '*': { endpoint: ['https://all.example'] },
    },
    configs: {
      'mirror.example': { auth: { username: 'u', password: 'p' } },
      'docker.io': { auth: { token: 't' } },
      'r.example:5000': { tls: { insecure_skip_verify: true, ca_file: '/ca' } },
    },
  });
  expect([...files.keys()]).toEqual(['docker.io', '_default', 'mirror.example', 'r.example_5000_']);
  const hub = files.get('docker.io');
  expect(hub).toContain('server = "https://registry-1.docker.io"');
  expect(hub).toContain('[host."http://plain.example:5000"]');
  expect(Object.fromEntries(auths)).toEqual({
    'mirror.example': { username: 'u', password: 'p' },
    'registry-1.docker.io': { identitytoken: 't' },
  });
  expect(hub).toContain('[host."http://plain.example:5000".header]\n    authorization = "Bearer t"');
  expect(hub).not.toContain('[host."https://mirror.example".header]');
  expect(files.get('_default')).not.toContain('server');
  expect(files.get('r.example_5000_')).toContain('skip_verify = true');
  expect(files.get('r.example_5000_')).toContain('ca = "/ca"');
});

test.each<[object, string]>([
  [{ auth: { username: 'u', password: 'p' } }, 'Basic dTpw'],
  [{ auth: { auth: 'dTpw' } }, 'Basic dTpw'],
  [{ auth: { token: 't' } }, 'Bearer t'],
])('credentials %j of a registry open its mirrors for its images', (config, authorization) => {
  const file = { mirrors: { 'r.example': { endpoint: ['https://m.example'] } }, configs: { 'r.example': config } };
  const { files, auths } = registrySettings(file as RegistriesFile);
  expect([...auths.keys()]).toEqual(['r.example']);
  expect(files.get('r.example')).toContain(`authorization = "${authorization}"`);
});

test.each<[object, string]>([
  [{ mirrors: { a: { rewrite: { x: 'y' } } } }, 'mirrors.a.rewrite is not supported'],
  [{ mirrors: { '../../etc': { endpoint: ['http://a'] } } }, 'mirrors: "../../etc" is not a host'],
  [{ configs: { 'a/b': {} } }, 'configs: "a/b" is not a host'],
  [{ mirrors: { a: { endpoint: 'http://b' } } }, 'mirrors.a.endpoint is not a list'],
  [{ mirrors: { a: { endpoint: ['http://:x'] } } }, 'mirrors.a.endpoint: "http://:x" is not a URL'],
  [{ mirrors: ['a'] }, 'mirrors is not a map of hosts'],
])('%j is refused', (file, message) => {
  expect(() => registrySettings(file as RegistriesFile)).toThrow(message);
});
