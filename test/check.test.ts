import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitpathError } from 'bitpath';
import {
  checkBoolean,
  checkFinite,
  checkInteger,
  checkOneOf,
  checkOptions,
  checkString,
  describe,
  nearest,
  unknownName,
} from '#lib/check.js';

function refuses(fn: () => unknown, code: string, message: RegExp): void {
  assert.throws(fn, (error) => {
    assert.ok(error instanceof BitpathError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

test('guards return what they accept', () => {
  assert.equal(checkInteger('n', 3, 1, 3), 3);
  assert.ok(Object.is(checkInteger('n', -0, 0, 3), 0));
  assert.equal(checkFinite('f', -1.5), -1.5);
  assert.equal(checkString('s', 'a'), 'a');
  assert.equal(checkBoolean('b', false), false);
  assert.equal(checkOneOf('o', 'b', ['a', 'b']), 'b');
  checkOptions('o', undefined, []);
  checkOptions('o', Object.freeze({ a: 1 }), ['a', 'b']);
});

test('BAD CALL: each guard names the argument, what it expects and what came', () => {
  const code = 'ERR_BITPATH_ARGUMENT';
  refuses(() => checkInteger('threads', 0, 1, 8), code, /^Expected an integer from 1 to 8 for threads but received 0$/);
  refuses(() => checkInteger('threads', 1.5, 1, 8), code, /received 1.5$/);
  refuses(() => checkInteger('threads', '4', 1, 8), code, /received "4"$/);
  refuses(() => checkInteger('threads', NaN, 1, 8), code, /received NaN$/);
  refuses(() => checkInteger('threads', 4n, 1, 8), code, /received 4n$/);
  refuses(() => checkFinite('eps', Infinity), code, /finite number for eps but received Infinity/);
  refuses(() => checkString('name', ''), code, /received ""/);
  refuses(() => checkBoolean('bias', 0), code, /true or false for bias but received 0/);
  refuses(
    () => checkOneOf('join', 'max', ['mean', 'sum']),
    code,
    /Expected "mean" or "sum" for join but received "max"/,
  );
  for (const options of [null, 3, [], 'x'] as unknown[])
    refuses(() => checkOptions('compile', options as object, ['a']), code, /an object of options/);
});

test('BAD CALL: an unknown option offers the nearest name', () => {
  const code = 'ERR_BITPATH_UNKNOWN_OPTION';
  refuses(
    () => checkOptions('compile', { thread: 1 }, ['isa', 'threads']),
    code,
    /"thread" for compile \(did you mean "threads"\?\); known are isa, threads$/,
  );
  refuses(() => checkOptions('compile', { banana: 1 }, ['isa', 'threads']), code, /"banana" for compile; known/);
  refuses(() => checkOptions('compile', JSON.parse('{"__proto__": 1}'), ['isa']), code, /__proto__/);
  refuses(() => checkOptions('relu', { x: 1 }, []), code, /\(none\)/);
  assert.match(
    unknownName('model', 'resnet19', ['resnet18', 'igp']).message,
    /No model is called "resnet19" \(did you mean "resnet18"\?\)/,
  );
});

test('nearest', () => {
  assert.equal(nearest('STRIDES', ['stride', 'kernel']), 'stride');
  assert.equal(nearest('b', ['a']), 'a');
  assert.equal(nearest('bb', ['aa']), undefined);
  assert.equal(nearest('x'.repeat(1e6), ['xx']), undefined);
  assert.equal(nearest('x', []), undefined);
});

test('describe is short, and survives hostile values', () => {
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        throw new Error('no');
      },
    },
  );
  const cases: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [-0, '-0'],
    ['a"b', '"a\\"b"'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [[1, 'a', {}], '[1, "a", …]'],
    [[1, 2, 3, 4, 5, 6, 7], '[1, 2, 3, 4, 5, 6, … 7 elements]'],
    [new Float32Array(3), 'Float32Array of length 3'],
    [new DataView(new ArrayBuffer(2)), 'DataView'],
    [new Map(), 'an object of class Map'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [hostile, 'an object'],
  ];
  for (const [value, text] of cases) assert.equal(describe(value), text);
  assert.match(describe('x'.repeat(1000)), /^"x{60}"… \(1000 characters\)$/);
  assert.ok(describe(10n ** 5000n).length < 100);
});
