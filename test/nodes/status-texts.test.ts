import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const LOCALES = path.join(__dirname, '../../nodes/locales');

type Texts = { [key: string]: string | Texts };

function statusTexts(language: string): Map<string, string> {
  const catalog = JSON.parse(readFileSync(path.join(LOCALES, language, 'common.json'), 'utf8')) as { status: Texts };
  const texts = new Map<string, string>();
  const collect = (prefix: string, value: string | Texts): void => {
    if (typeof value === 'string') texts.set(prefix, value);
    else for (const [key, inner] of Object.entries(value)) collect(prefix === '' ? key : `${prefix}.${key}`, inner);
  };
  collect('', catalog.status);
  return texts;
}

describe('the texts of a status', () => {
  const source = readFileSync(path.join(__dirname, '../../nodes/shared/status-line.ts'), 'utf8');

  for (const language of readdirSync(LOCALES)) {
    it(`are short in ${language}, with their numbers and their age`, () => {
      const texts = statusTexts(language);
      const ages = [...texts]
        .filter(([key]) => key.startsWith('age.'))
        .map(([, text]) => text.replace(/__\w+__/, '50'));
      const longestAge = Math.max(...ages.map((text) => text.length));
      // A value has ten characters at most, then come the separator and the age.
      assert.ok(10 + ' · '.length + longestAge <= 20, `${longestAge}`);
      for (const [key, text] of texts) assert.ok(text.replace(/__\w+__/g, '999').length < 20, `${key}: ${text}`);
    });

    it(`are all there in ${language}`, () => {
      const texts = statusTexts(language);
      const used = [...source.matchAll(/#text\('([^']+)'/g)].map(([, key]) => key ?? '');
      assert.ok(used.length > 8);
      for (const key of used) assert.ok(texts.has(key), key);
    });
  }
});
