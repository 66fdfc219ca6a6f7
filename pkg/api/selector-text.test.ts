import { describe, expect, it } from 'vitest';
import { goSelectorText } from './selector-text.ts';

describe('goSelectorText', () => {
  it.each([
    [undefined, '&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{},}'],
    [
      { matchLabels: { b: '2', a: '1' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['x', 'y'] }] },
      '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}',
    ],
  ])('%j', (selector, text) => {
    expect(goSelectorText(selector)).toBe(text);
  });
});
