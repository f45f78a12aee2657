/** The engine's wheel without pip: from a server of our own, as indexes, mirrors and proxies behave. */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pipSettings } from '../../../src/engine/install/pip-settings.js';
import { downloadWheel } from '../../../src/engine/install/without-pip.js';
import { temporaryFolder } from '../../image/pictures.js';

const folder = await temporaryFolder();
const WHEEL = 'engine_cpu-1.0-cp312-cp312-linux.whl';
const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
let asked: string[] = [];
let place = 0;

async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(
      `${request.method} ${request.url}${request.headers.range === undefined ? '' : ` ${request.headers.range}`}`,
    );
    handler(request, response);
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An index of one wheel; `file` answers for the wheel itself. */
const index =
  (file: Handler): Handler =>
  (request, response) => {
    if (request.url === '/simple/engine-cpu/') {
      response.end(
        `<html><a href="../../files/other.whl">other</a><a\n data-x="1" href='../../files/${WHEEL}#sha256=00'>w</a></html>`,
      );
    } else if (request.url?.startsWith('/files/')) file(request, response);
    else response.writeHead(404).end();
  };

const whole: Handler = (_, response) =>
  response.writeHead(200, { 'content-length': CONTENT.length }).end(CONTENT);

async function download(
  env: Record<string, string>,
): Promise<{ bytes: Buffer; progress: [number, number][] }> {
  const target = join(folder, String(place++));
  mkdirSync(target);
  const progress: [number, number][] = [];
  const options = {
    name: 'engine-cpu',
    wheel: WHEEL,
    folder: target,
    expectedBytes: 7,
    remedy: 'get the wheel',
  };
  const own = { PIP_CONFIG_FILE: '/dev/null', HOME: folder, ...env };
  const path = await downloadWheel(
    { ...options, onProgress: (done, total) => progress.push([done, total]) },
    own,
  );
  return { bytes: readFileSync(path), progress };
}

beforeEach(() => {
  asked = [];
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

it('finds the wheel on the index, and tells how far it is', async () => {
  const base = await serve(index(whole));
  const { bytes, progress } = await download({ PIP_INDEX_URL: `${base}/simple/` });
  expect(bytes.equals(CONTENT)).toBe(true);
  expect(progress.at(-1)).toEqual([CONTENT.length, CONTENT.length]);
  expect(asked).toEqual(['GET /simple/engine-cpu/', `GET /files/${WHEEL}`]);
});

it.each([
  ['from where it was cut', true],
  ['from the beginning, on a server without ranges', false],
])('goes on %s', async (_, ranges) => {
  let cuts = 0;
  const base = await serve(
    index((request, response) => {
      const from = ranges ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
      const rest = CONTENT.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
      if (++cuts > 3) response.end(rest);
      else response.write(rest.subarray(0, cuts * 40_000), () => response.destroy());
    }),
  );
  const { bytes } = await download({ PIP_INDEX_URL: `${base}/simple` });
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(
    createHash('sha256').update(CONTENT).digest('hex'),
  );
  expect(asked.length).toBe(5);
});

it('gives up a transfer that is cut again and again, and says what to do', async () => {
  const base = await serve(
    index((_, response) =>
      response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    ),
  );
  await expect(download({ PIP_INDEX_URL: `${base}/simple` })).rejects.toThrow(
    /could not be fetched: .*\n {2}install Python with pip; or get the wheel/,
  );
});

it('follows redirects, and asks the further indexes when one has nothing or cannot be reached', async () => {
  const files = await serve(whole);
  const base = await serve(
    index((_, response) => response.writeHead(302, { location: `${files}/moved/${WHEEL}` }).end()),
  );
  const empty = await serve((_, response) => response.writeHead(404).end());
  const { bytes } = await download({
    PIP_INDEX_URL: `${empty}/simple`,
    PIP_EXTRA_INDEX_URL: `http://127.0.0.1:1/simple ${base}/simple`,
  });
  expect(bytes.equals(CONTENT)).toBe(true);
});

it('says what the server answered, where the wheel is not, and never a password', async () => {
  const base = await serve((_, response) => response.writeHead(403).end());
  const secret = base.replace('//', '//me:hush@');
  const failed = await download({ PIP_INDEX_URL: `${secret}/simple` }).catch((error) => error.message);
  expect(failed).toMatch(/\/simple\/engine-cpu\/: the server answered 403/);
  const empty = await serve((_, response) => response.end('<html></html>'));
  const missing = await download({ PIP_INDEX_URL: `${empty.replace('//', '//me:hush@')}/simple` }).catch(
    (error) => error.message,
  );
  expect(missing).toMatch(`${WHEEL}: is on none of the package indexes`);
  expect(failed + missing).not.toMatch('hush');
});

it('gives name and password to the index and to files on its host', async () => {
  const seen: (string | undefined)[] = [];
  const base = await serve((request, response) => {
    seen.push(request.headers.authorization);
    index(whole)(request, response);
  });
  await download({ PIP_INDEX_URL: `${base.replace('//', '//me:hu%40sh@')}/simple` });
  const expected = `Basic ${Buffer.from('me:hu@sh').toString('base64')}`;
  expect(seen).toEqual([expected, expected]);
});

it('goes through a proxy, unless the host is excluded', async () => {
  const base = await serve(index(whole));
  const proxy = await serve((request, response) => {
    expect(request.headers['proxy-authorization']).toBe(`Basic ${Buffer.from('p:q').toString('base64')}`);
    index(whole)(
      { ...request, url: new URL(request.url ?? '').pathname, headers: {} } as IncomingMessage,
      response,
    );
  });
  const env = { PIP_INDEX_URL: 'http://index.invalid/simple', http_proxy: proxy.replace('//', '//p:q@') };
  expect((await download(env)).bytes.equals(CONTENT)).toBe(true);
  expect(asked[0]).toBe('GET http://index.invalid/simple/engine-cpu/');
  asked = [];
  await download({ PIP_INDEX_URL: `${base}/simple`, HTTP_PROXY: proxy, NO_PROXY: 'a.b, 127.0.0.1' });
  expect(asked[0]).toBe('GET /simple/engine-cpu/');
});

it('asks a proxy for a tunnel to https', async () => {
  const proxy = await serve((_, response) => response.end());
  const [server] = servers;
  const targets: string[] = [];
  server.on('connect', (request, socket) => {
    targets.push(String(request.url));
    socket.end('HTTP/1.1 407 no\r\n\r\n');
  });
  const env = { PIP_INDEX_URL: 'https://index.invalid/simple', PIP_PROXY: proxy };
  await expect(download(env)).rejects.toThrow(/the proxy 127.0.0.1:\d+ answered 407/);
  expect(targets).toEqual(['index.invalid:443']);
});

it('reads an index in a folder', async () => {
  mkdirSync(join(folder, 'mirror/simple/engine-cpu'), { recursive: true });
  writeFileSync(join(folder, 'mirror', WHEEL), CONTENT);
  writeFileSync(join(folder, 'mirror/simple/engine-cpu/index.html'), `<a href="../../${WHEEL}">w</a>`);
  const { bytes } = await download({ PIP_INDEX_URL: pathToFileURL(join(folder, 'mirror/simple')).href });
  expect(bytes.equals(CONTENT)).toBe(true);
});

describe('pipSettings', () => {
  it("reads pip's files in pip's order, and the environment last", async () => {
    const home = join(folder, 'home');
    mkdirSync(join(home, '.config/pip'), { recursive: true });
    writeFileSync(
      join(home, '.config/pip/pip.conf'),
      '# mine\n[global]\nindex_url = https://mirror/simple\nextra-index-url =\n    https://a/simple\n    https://b/simple\ncert=/c.pem\n[install]\nproxy = x\n[download]\ntrusted-host: one two\n',
    );
    const env = { HOME: home, XDG_CONFIG_DIRS: folder };
    expect(await pipSettings(env)).toEqual({
      indexes: ['https://mirror/simple', 'https://a/simple', 'https://b/simple'],
      proxy: undefined,
      cert: '/c.pem',
      trusted: ['one', 'two'],
    });
    const own = join(folder, 'own.conf');
    writeFileSync(own, '[global]\nindex-url = https://own/simple\nextra-index-url =\n');
    const changed = await pipSettings({ ...env, PIP_CONFIG_FILE: own, PIP_PROXY: 'http://p' });
    expect([changed.indexes, changed.proxy]).toEqual([['https://own/simple'], 'http://p']);
    expect((await pipSettings({ ...env, PIP_NO_INDEX: '1' })).indexes).toEqual([]);
  });
});
