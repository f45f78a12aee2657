/**
 * Fetches files over HTTP as pip would: through proxies, with the user's certificates, following redirects, and going on where a
 * transfer was cut. Node's `fetch` knows no proxies.
 */

import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { errorMessage, hasCode, UserError } from '../../core/errors.js';
import type { PipSettings } from './pip-settings.js';

const REDIRECTS = 5;
/** Times that a transfer which was cut goes on. */
const RESUMES = 5;
/** Without a byte for so long, a transfer counts as cut. */
const SILENCE_MS = 60_000;

export class Fetcher {
  readonly #settings: Pick<PipSettings, 'proxy' | 'cert' | 'trusted'>;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(settings: Pick<PipSettings, 'proxy' | 'cert' | 'trusted'>, env = process.env) {
    this.#settings = settings;
    this.#env = env;
  }

  /** A text, and where it was in the end. @returns undefined when there is none (404) @throws UserError */
  async text(url: string): Promise<{ text: string; url: string } | undefined> {
    if (url.startsWith('file:')) return readLocal(url);
    const { response, url: last } = await this.#get(url, 0);
    if (response.statusCode === 404) {
      response.resume();
      return undefined;
    }
    expectStatus(response, last, 200);
    const pieces: Buffer[] = [];
    try {
      for await (const piece of response) pieces.push(piece as Buffer);
    } catch (error) {
      throw unreachable(last, error);
    }
    return { text: Buffer.concat(pieces).toString('utf8'), url: last };
  }

  /**
   * The bytes of a file, in order.
   *
   * @param onSize told how many there will be, if the server says so
   * @throws UserError when it cannot be had, or was cut too often
   */
  async *bytes(url: string, onSize: (bytes: number) => void): AsyncGenerator<Buffer> {
    let position = 0;
    for (let attempt = 0; ; attempt++) {
      const { response, url: last } = await this.#get(url, position);
      expectStatus(response, last, 200, 206);
      // A server that knows no ranges sends all of it again.
      let skip = response.statusCode === 206 ? 0 : position;
      const length = Number(response.headers['content-length'] ?? Number.NaN);
      const size = response.statusCode === 206 ? position + length : length;
      if (!Number.isNaN(size)) onSize(size);
      try {
        for await (const piece of response as AsyncIterable<Buffer>) {
          const rest = piece.subarray(Math.min(skip, piece.length));
          skip -= piece.length - rest.length;
          position += rest.length;
          if (rest.length > 0) yield rest;
        }
        if (Number.isNaN(size) || position >= size) return;
        throw new Error(`it ended after ${position} of ${size} bytes`);
      } catch (error) {
        if (attempt >= RESUMES || !isCut(error)) throw unreachable(last, error);
      }
    }
  }

  async #get(url: string, position: number): Promise<{ response: IncomingMessage; url: string }> {
    let next = new URL(url);
    for (let hop = 0; hop <= REDIRECTS; hop++) {
      const response = await this.#request(next, position).catch((error) => {
        throw unreachable(next.href, error);
      });
      const { location } = response.headers;
      if (location === undefined || ![301, 302, 303, 307, 308].includes(response.statusCode ?? 0)) {
        return { response, url: next.href };
      }
      response.resume();
      next = new URL(location, next);
    }
    throw new UserError('is redirected too often', { where: withoutSecrets(url) });
  }

  async #request(url: URL, position: number): Promise<IncomingMessage> {
    const secure = url.protocol === 'https:';
    const proxy = this.#proxyFor(url);
    const headers = {
      accept: 'text/html, */*',
      ...(position > 0 && { range: `bytes=${position}-` }),
      ...(url.username !== '' && { authorization: basic(url) }),
    };
    const ca = this.#settings.cert === undefined ? undefined : await readFile(this.#settings.cert);
    const trusts = this.#settings.trusted.some((host) => host === url.host || host === url.hostname);
    const tls = { ...(ca && { ca }), rejectUnauthorized: !trusts, servername: url.hostname };
    if (proxy === undefined) return send(secure ? https : http, url, { headers, ...(secure && tls) });
    if (!secure) {
      const target = { host: proxy.hostname, port: proxy.port || 80, path: withoutSecrets(url.href) };
      return send(http, undefined, {
        ...target,
        headers: { host: url.host, ...headers, ...proxyAuth(proxy) },
      });
    }
    const socket = await tunnel(proxy, url);
    return send(https, url, { headers, createConnection: () => tlsConnect({ socket, ...tls }) });
  }

  #proxyFor(url: URL): URL | undefined {
    const variable = (name: string) => this.#env[name.toLowerCase()] || this.#env[name.toUpperCase()];
    const excluded = (variable('no_proxy') ?? '').split(',').map((host) => host.trim().replace(/^\./, ''));
    if (excluded.some((host) => host === '*' || (host !== '' && `.${url.hostname}`.endsWith(`.${host}`))))
      return undefined;
    const proxy =
      this.#settings.proxy ?? variable(`${url.protocol.slice(0, -1)}_proxy`) ?? variable('all_proxy');
    return proxy === undefined ? undefined : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
  }
}

function send(
  client: typeof http | typeof https,
  url: URL | undefined,
  options: https.RequestOptions & { createConnection?: () => TLSSocket },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const all = { agent: false, ...options };
    const request = url === undefined ? client.request(all) : client.request(url, all);
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error('it fell silent')));
    request.once('response', resolve).once('error', reject).end();
  });
}

/** A connection through a proxy that does not look into it. */
function tunnel(proxy: URL, url: URL): Promise<import('node:net').Socket> {
  const path = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: proxy.hostname,
      port: proxy.port || 80,
      method: 'CONNECT',
      path,
      headers: { host: path, ...proxyAuth(proxy) },
    });
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error('the proxy fell silent')));
    request.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) resolve(socket);
      else reject(new Error(`the proxy ${proxy.host} answered ${statusCode}`));
    });
    request.once('error', reject).end();
  });
}

function basic({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
}

function proxyAuth(proxy: URL): Record<string, string> {
  return proxy.username === '' ? {} : { 'proxy-authorization': basic(proxy) };
}

/** Names and passwords are not shown. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function expectStatus({ statusCode = 0 }: IncomingMessage, url: string, ...expected: number[]): void {
  if (expected.includes(statusCode)) return;
  throw new UserError(`the server answered ${statusCode}`, { where: withoutSecrets(url) });
}

function unreachable(url: string, error: unknown): unknown {
  if (error instanceof UserError) return error;
  return new UserError(`could not be fetched: ${errorMessage(error)}`, {
    where: withoutSecrets(url),
    cause: error,
  });
}

function isCut(error: unknown): boolean {
  return (
    hasCode(error, 'ECONNRESET', 'EPIPE', 'ETIMEDOUT') ||
    /aborted|ended after|fell silent/.test(errorMessage(error))
  );
}

async function readLocal(url: string): Promise<{ text: string; url: string } | undefined> {
  const page = new URL('index.html', url.endsWith('/') ? url : `${url}/`).href;
  const text = await readFile(fileURLToPath(page), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : { text, url: page };
}
