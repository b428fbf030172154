/** Patterns for file names. Node's own need Node 22. */
import { BitpathError } from '../errors.js';
import { walk } from './walk.js';

/** Whether `text` has a character that makes it a pattern. */
export function isPattern(text: string): boolean {
  return /[*?[{]/.test(text);
}

/**
 * Files whose path matches `pattern`, in the order of {@link walk}: `*` and `?` within a name, `**` for any number of folders,
 * `[abc]`, `[a-z]`, `[!a]`, `{jpg,png}`. A name with a leading dot only matches where the pattern's has one too.
 */
export async function* globFiles(pattern: string): AsyncGenerator<string, void, undefined> {
  const segments = pattern.split('/');
  const fixed = segments.findIndex(isPattern);
  const base = segments.slice(0, fixed).join('/');
  const root = fixed === 0 ? '.' : base === '' ? '/' : base;
  const rest = segments.slice(fixed);
  const matches = patternRegExp(rest, pattern);
  const isDeep = rest.some((segment) => segment.includes('**')) || pattern.includes('{');
  const dots = rest.some((segment) => /(^|[{,])\./.test(segment));
  const prefix = fixed === 0 ? '' : base === '' ? '/' : `${base}/`;
  const enters = (path: string) => isDeep || path.split('/').length < rest.length;
  for await (const path of walk(root, { enters, dots })) {
    if (matches.test(path)) yield prefix + path;
  }
}

/** One regular expression for the segments of a path. Throws `ERR_BITPATH_BATCH_INPUT` for a brace or bracket left open, a range as `[z-a]`. */
export function patternRegExp(segments: readonly string[], pattern: string): RegExp {
  const text = segments.join('/');
  let source = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const atStart = i === 0 || text[i - 1] === '/';
    // A wildcard does not stand for the dot of a hidden name.
    const hidden = atStart ? '(?!\\.)' : '';
    if (char === '*' && text[i + 1] === '*') {
      const isFolders = atStart && text[i + 2] === '/';
      source += isFolders ? '(?:(?!\\.)[^/]+/)*' : `${hidden}(?:[^/]|/(?!\\.))*`;
      i += isFolders ? 2 : 1;
    } else if (char === '*') source += `${hidden}[^/]*`;
    else if (char === '?') source += `${hidden}[^/]`;
    else if (char === '[') {
      const end = text.indexOf(']', i + 2);
      if (end === -1) throw openBracket(pattern, '[');
      const negated = text[i + 1] === '!' || text[i + 1] === '^';
      const members = text.slice(i + (negated ? 2 : 1), end).replace(/[\\\]^]/g, '\\$&');
      source += `${hidden}(?!/)[${negated ? '^' : ''}${members}]`;
      i = end;
    } else if (char === '{') {
      depth++;
      source += '(?:';
    } else if (char === '}' && depth > 0) {
      depth--;
      source += ')';
    } else if (char === ',' && depth > 0) source += '|';
    else source += char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  }
  if (depth > 0) throw openBracket(pattern, '{');
  try {
    return new RegExp(`^(?:${source})$`, 'u');
  } catch (cause) {
    const reason = 'the pattern has a range that ends before it begins';
    throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: pattern, reason }, { cause });
  }
}

function openBracket(input: string, bracket: string): BitpathError {
  return new BitpathError('ERR_BITPATH_BATCH_INPUT', { input, reason: `the pattern has a ${bracket} without its end` });
}
