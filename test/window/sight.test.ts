// What the window says of which hosts it shows.
import { beforeEach, expect, it } from 'vitest';
import { Sight } from '../../src-renderer/stores/sight.ts';
import { ScriptedLink } from './scripted-link.ts';

let link: ScriptedLink;
let sight: Sight;
let rested: (() => void)[];
const rest = () => rested.splice(0).forEach((over) => over());
const told = () => link.said('fleet.look').map(({ hosts }) => hosts);

beforeEach(() => {
  link = new ScriptedLink();
  link.answer('fleet.look', () => null);
  rested = [];
  sight = new Sight(link, (over) => rested.push(over));
  sight.start();
});

it('is told once scrolling has come to rest, each host once, and not again while it stays so', () => {
  sight.show('cards', ['a']);
  sight.show('cards', ['b', 'c']);
  sight.show('chosen', ['c', 'd']);
  expect(told()).toEqual([]);
  rest();
  expect(told()).toEqual([['b', 'c', 'd']]);
  sight.show('cards', ['c', 'b']);
  rest();
  expect(told()).toHaveLength(1);
  sight.show('cards', []);
  rest();
  expect(told()[1]).toEqual(['c', 'd']);
});

it('is told anew to a main side that comes back', () => {
  sight.show('cards', ['a']);
  rest();
  link.emit('up', false);
  link.emit('up', true);
  rest();
  expect(told()).toEqual([['a'], ['a']]);
});

it('is never more than the call takes', () => {
  sight.show(
    'cards',
    Array.from({ length: 300 }, (_, at) => `h${at}`),
  );
  rest();
  expect(told()[0]).toHaveLength(100);
});
