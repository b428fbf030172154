/**
 * Requests as attackers, old proxies and careless clients write them. Some are wrong and some merely strange: the former are refused,
 * the latter refused or answered, none is a fault of the server. Texts of which each character is one byte.
 */
import { SIDE, VALUES } from './tinyModel.js';

type Random = () => number;
const pick = <T>(next: Random, list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;

const PATH = '/v2/models/tiny/infer';
const GOOD = `{"inputs":[{"name":"input","datatype":"FP32","shape":[1,3,${SIDE},${SIDE}],"data":[${Array(VALUES).fill(0.5)}]}]}`;
const LENGTH = GOOD.length;

/** `lines` of a head, each ended as HTTP wants it, with `body` behind them. */
function http(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function post(body: string, ...headers: string[]): string {
  return http(
    [`POST ${PATH} HTTP/1.1`, 'host: localhost', 'connection: close', `content-length: ${body.length}`, ...headers],
    body,
  );
}

function infer(fields: string): string {
  return post(`{"inputs":[{"name":"input","datatype":"FP32","shape":[1,3,${SIDE},${SIDE}],${fields}}]}`);
}

const hex = (text: string) => text.length.toString(16);

/** What is wrong, whoever looks at it. */
export const WRONG_REQUESTS: readonly ((next: Random) => string)[] = [
  // Two lengths, or a length and chunks: what one server takes for a body, another takes for the next request.
  (next) =>
    http([
      `POST ${PATH} HTTP/1.1`,
      'host: localhost',
      `content-length: ${LENGTH}`,
      pick(next, [`content-length: ${LENGTH + 1}`, 'transfer-encoding: chunked', 'content-length: ']),
    ]),
  (next) =>
    http(
      [
        `POST ${PATH} HTTP/1.1`,
        'host: localhost',
        `transfer-encoding: ${pick(next, ['gzip', 'chunked, gzip', 'x', 'chunked,,'])}`,
      ],
      `0\r\n\r\n`,
    ),
  // Heads that are none.
  (next) =>
    http([
      `POST ${PATH} HTTP/1.1`,
      'host: localhost',
      pick(next, [
        'x : y',
        'no colon',
        'x\0: y',
        'a: b\0c',
        ': y',
        'x: y\r\n folded: on the next line\0',
        '\xfc: y',
        'a: \x7f\x01',
      ]),
      'content-length: 2',
    ]),
  (next) =>
    http([
      pick(next, [
        `POST ${PATH}`,
        `POST  ${PATH} HTTP/1.1`,
        'POST HTTP/1.1',
        `POST ${PATH} HTTP/3.9`,
        `post ${PATH} HTTP/1.1`,
      ]),
    ]),
  () => http([`POST ${PATH} HTTP/1.1`, 'content-length: 2'], '{}'), // no host
  () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  (next) => http([`CONNECT ${pick(next, ['localhost:80', 'example.com:443', '/'])} HTTP/1.1`, 'host: localhost']),
  // Chunks without end, or of a size that nobody has.
  (next) =>
    http(
      [`POST ${PATH} HTTP/1.1`, 'host: localhost', 'transfer-encoding: chunked'],
      `${pick(next, ['7fffffffffffffff', 'fffffff0', '10000000000000000', '5;', '5 x', '0x5', ''])}\r\n{}`,
    ),
  // Numbers that are none, or no float's.
  (next) =>
    infer(`"data":[${pick(next, ['NaN', 'Infinity', '-Infinity', '0x1', '01', '1.', '.5', '+1', '1e', "'1'"])}]`),
  (next) => infer(`"data":[${Array(VALUES - 1).fill(0)},${pick(next, ['"1"', 'null', 'true', '{}', '[[1]]', '1,1'])}]`),
  (next) => infer(`"data":${'['.repeat(pick(next, [17, 1000, 100_000]))}`),
  (next) => post('{"a":'.repeat(pick(next, [17, 1000, 50_000]))),
  (next) =>
    post(
      `{"inputs":[${Array(pick(next, [2, 1025, 9000]))
        .fill('{}')
        .join()}]}`,
    ),
  // Shapes of nothing, of too much, and of what is no number.
  (next) => {
    const shape = pick(next, [
      ...[
        '[0,3,8,8]',
        '[]',
        '[1,3,8,0]',
        '[1,3,8]',
        '[1,3,8,8,1]',
        '[1,8,8,3]',
        '[-1,3,8,8]',
        '[1e9,3,8,8]',
        '[4294967296,3,8,8]',
      ],
      ...[
        '[1.5,3,8,8]',
        '["1",3,8,8]',
        '[[1],3,8,8]',
        '{"0":1}',
        '[1,3,8,8e0000000001]',
        '[9007199254740993,3,8,8]',
        '[9,3,8,8]',
      ],
    ]);
    return post(`{"inputs":[{"name":"input","datatype":"FP32","shape":${shape},"data":[${Array(VALUES).fill(0)}]}]}`);
  },
  (next) => {
    const tensor = `{"name":"input","datatype":"FP32","shape":[1,3,${SIDE},${SIDE}],"data":[${Array(VALUES).fill(0)}]}`;
    return post(`{"inputs":[${tensor},${pick(next, [tensor, tensor.replace('"input"', '"other"'), 'null'])}]}`);
  },
  // Names: surrogates without their other half, nothing, and what objects inherit.
  (next) => {
    const name = pick(next, ['"\\ud800"', '"\\udc00\\ud800"', '""', '"constructor"', '"input\\u0000"', '["input"]']);
    return post(GOOD.replace('"input"', name));
  },
  (next) =>
    post(
      `${GOOD.slice(0, -1)},"outputs":[{"name":${pick(next, ['"\\ud800"', '"toString"', '""', '1', 'null', '[]'])}}]}`,
    ),
  (next) => {
    const parameters = pick(next, [
      '{"classification":0}',
      '{"classification":-1}',
      '{"classification":1.5}',
      '{"classification":"1"}',
    ]);
    return post(`${GOOD.slice(0, -1)},"outputs":[{"name":"logits","parameters":${parameters}}]}`);
  },
  // Binary data that is promised and does not come, or comes unasked.
  (next) => {
    const head = GOOD.replace(
      /"data":.*?\]/,
      `"parameters":{"binary_data_size":${pick(next, ['767', '769', '0', '4', '"768"', '768.5', '-768', '1e308'])}}`,
    );
    return post(head + '\0'.repeat(4 * VALUES), `inference-header-content-length: ${head.length}`);
  },
  (next) => post(GOOD + '\0'.repeat(1 + 4 * pick(next, [0, 1, VALUES])), `inference-header-content-length: ${LENGTH}`),
  (next) =>
    post(
      GOOD,
      `inference-header-content-length: ${pick(next, ['-1', '1e2', '0x10', String(LENGTH + 1), '99999999999', '1,2', '\xd9\xa3'])}`,
    ),
  // Text that is no UTF-8, or another encoding's.
  () => post(Buffer.from(GOOD, 'utf16le').toString('latin1')),
  (next) => post(GOOD.replace('input', pick(next, ['in\xffput', '\xc0\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80']))),
  // Names of models that lead elsewhere.
  (next) => {
    const name = pick(next, [
      ...[
        '%2e%2e',
        '..%2ftiny',
        '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
        '.',
        '%2e',
        '',
        '%00',
        'tiny%00',
        '%ff',
        'tiny%2f',
        '%ed%a0%80',
      ],
      ...[
        'tiny/versions/0',
        'tiny/versions/..',
        'tiny/versions/1e0',
        'tiny/versions/%31%30',
        'TINY',
        'tiny%20',
        't%C4%B1ny',
      ],
    ]);
    return post(GOOD).replace(PATH, `/v2/models/${name}/infer`);
  },
  (next) =>
    post('x').replace(
      PATH,
      `/classify?${pick(next, ['k=1&k=2', 'k[]=1', 'k=%31e9', 'k=\xd9\xa3', 'model=%00', 'version=%2e', 'model=a&model=b'])}`,
    ),
];

/** What one server answers and another refuses. */
export const STRANGE_REQUESTS: readonly ((next: Random) => string)[] = [
  (next) => post(GOOD).replace('HTTP/1.1', pick(next, ['HTTP/1.0', 'HTTP/1.1'])),
  () => http([`GET /v2 HTTP/1.0`]),
  (next) =>
    http(
      [
        `POST ${PATH} HTTP/1.1`,
        'host: localhost',
        'connection: close',
        'transfer-encoding: chunked',
        'trailer: x-after',
      ],
      `${hex(GOOD)}${pick(next, ['', ';a=b', ';a="b;c"', `;${'x'.repeat(5000)}`])}\r\n${GOOD}\r\n0\r\n${pick(next, ['', 'x-after: y\r\n', 'content-length: 3\r\n', `${'x: y\r\n'.repeat(500)}`])}\r\n`,
    ),
  (next) =>
    post(GOOD).replace(
      PATH,
      pick(next, [
        `http://localhost${PATH}`,
        `http://other.example${PATH}`,
        `${PATH}?x=%zz`,
        `${PATH}#x`,
        `/${PATH}`,
        `${PATH}/`,
        `/./${PATH}`,
        PATH.replace('tiny', '%74iny'),
      ]),
    ),
  (next) =>
    post(
      GOOD,
      pick(next, [
        'expect: 100-continue',
        'expect: 200-ok',
        'upgrade: h2c',
        'connection: upgrade\r\nupgrade: websocket',
      ]),
    ),
  (next) =>
    post(
      GOOD,
      pick(next, [
        'content-type: a',
        'content-type: ;;;',
        'content-type: application/json; charset=utf-16',
        'content-type: multipart/form-data',
        'content-type: text/plain\r\ncontent-type: image/png',
      ]),
    ),
  (next) =>
    post(
      GOOD,
      `accept-encoding: ${pick(next, ['gzip;q=0', '*;q=1.0', 'gzip;q=2', ',,,', 'gzip'.repeat(200)])}`,
      `x-request-id: ${pick(next, ['', 'x'.repeat(3000), '"<script>', 'a b'])}`,
    ),
  (next) =>
    post(GOOD, pick(next, ['x: y\r\n folded', 'x:', 'x: \xe9', `cookie: ${'a=b; '.repeat(1000)}`, 'host: localhost'])),
  () => post(GOOD).replaceAll('\r\n', '\n'),
  (next) =>
    infer(
      `"data":[${Array(VALUES - 1).fill(0)},${pick(next, ['1e999', '-1e999', '1e-999', '-0', '9'.repeat(400), '1E+2', `0.${'1'.repeat(4000)}`])}]`,
    ),
  (next) => infer(`"data":[${Array(VALUES).fill(pick(next, ['3.5e38', '1e-46', '16777217']))}]`),
  (next) =>
    post(
      GOOD.replace(
        '{',
        pick(next, [
          '{"__proto__":{"outputs":1},',
          '{"id":"\\ud800",',
          '{"id":1,',
          '{"inputs":1,',
          '{"parameters":{"priority":-1,"timeout":1e999},',
          '{"parameters":{"constructor":{"x":1}},',
          '\xef\xbb\xbf{',
        ]),
      ),
    ),
  (next) => {
    const own = pick(next, [
      '{"binary_data":true}',
      '{"binary_data":1}',
      '{"binary_data":"no","classification":2}',
      '{"binary_data":false,"binary_data_size":7}',
      '{}',
      'null',
    ]);
    const all = pick(next, [
      '{"binary_data_output":true}',
      '{"binary_data_output":"x"}',
      '{"binary_data_output":null}',
      '{"binary_data_output":[true]}',
    ]);
    return post(
      `${GOOD.slice(0, -1)},"parameters":${all},"outputs":[{"name":"logits","parameters":${own}},{"name":"logits"}]}`,
    );
  },
  (next) =>
    http([
      `${pick(next, ['HEAD', 'OPTIONS', 'GET'])} ${pick(next, ['/', '/docs', '/metrics', '*', '/v2/models/tiny', '/page/app.js', '/page/..%2f..%2fpackage.json'])} HTTP/1.1`,
      'host: localhost',
      'connection: close',
    ]),
];
