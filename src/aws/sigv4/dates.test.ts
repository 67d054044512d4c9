// The dates that signed requests carry.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoBasic, parseDateHeader, parseIsoBasic } from './dates.ts'

const atMs = Date.UTC(2015, 7, 30, 12, 36, 0)

test('only the basic form of ISO 8601 is a date', () => {
  for (const text of ['', '20150830', '20150830T123600', '20150830T123600z', '2015-08-30T12:36:00Z', '20150830T126000Z', '20151301T000000Z', '00000830T123600Z', ' 20150830T123600Z', '20150830T123600Z\n']) {
    assert.equal(parseIsoBasic(text), undefined, JSON.stringify(text))
  }
  assert.equal(parseIsoBasic('20150830T123600Z'), atMs)
  assert.equal(parseIsoBasic('20160229T235959Z'), Date.UTC(2016, 1, 29, 23, 59, 59))
})

test('a Date header may have either form', () => {
  for (const text of ['Sun, 30 Aug 2015 12:36:00 GMT', 'Mon, 30 Aug 2015 12:36:00 +0000', 'Sun, 30 Aug 2015 12:36:00 -0000', '20150830T123600Z']) {
    assert.equal(parseDateHeader(text), atMs, text)
  }
  for (const text of ['', 'Sun, 30 Aug 2015 12:36:00 CEST', 'Sun, 31 Feb 2015 12:36:00 GMT', 'Sun, 30 Aub 2015 12:36:00 GMT', 'Sun, 30 Aug 2015 25:36:00 GMT', 'Sunday, 30-Aug-15 12:36:00 GMT', '1440938160000']) {
    assert.equal(parseDateHeader(text), undefined, text)
  }
})

test('milliseconds do not enter a signature', () => {
  assert.equal(isoBasic(atMs + 999), '20150830T123600Z')
})
