import { expect, test } from 'vitest';
import { sortElements } from './element-order.ts';

test.each([
  [['f:b', 'f:a', '.'], '. f:a f:b'],
  [['i:10', 'i:9', 'v:1', 'k:{"a":1}', 'f:z'], 'f:z k:{"a":1} v:1 i:9 i:10'],
  [
    ['k:{"port":443,"protocol":"TCP"}', 'k:{"port":80,"protocol":"UDP"}', 'k:{"port":80,"protocol":"TCP"}'],
    'k:{"port":80,"protocol":"TCP"} k:{"port":80,"protocol":"UDP"} k:{"port":443,"protocol":"TCP"}',
  ],
  [['k:{"name":"a-b"}', 'k:{"name":"a"}', 'k:{"key":"z"}'], 'k:{"key":"z"} k:{"name":"a"} k:{"name":"a-b"}'],
  [['k:{"a":1,"b":2}', 'k:{"a":1}'], 'k:{"a":1} k:{"a":1,"b":2}'],
  [
    ['v:null', 'v:{}', 'v:[1]', 'v:true', 'v:false', 'v:"x"', 'v:10', 'v:9'],
    'v:9 v:10 v:"x" v:false v:true v:[1] v:{} v:null',
  ],
  [['v:9223372036854775807', 'v:9223372036854775806'], 'v:9223372036854775806 v:9223372036854775807'],
])('%j', (elements, sorted) => {
  expect(sortElements(elements).join(' ')).toBe(sorted);
});
