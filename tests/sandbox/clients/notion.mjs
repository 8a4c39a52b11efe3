// @notionhq/client against the stand-in.
import { Client, collectPaginatedAPI } from '@notionhq/client';

import { injected, refused } from './errors.mjs';

const { control, url, token } = JSON.parse(process.argv[2]);
const options = { baseUrl: url, notionVersion: '2026-03-11', retry: false };
const notion = new Client({ auth: token, ...options });
const text = (content) => [{ text: { content } }];

const me = await notion.users.me({});
const home = await notion.pages.create({ properties: { title: text('Home') } });
const database = await notion.databases.create({
  parent: { page_id: home.id },
  title: text('Roadmap'),
  initial_data_source: { properties: {
    Name: { title: {} }, Points: { number: {} }, Stage: { select: {} }, Note: { rich_text: {} } } },
});
const source = database.data_sources[0].id;
const parent = { data_source_id: source };
const row = (n) => notion.pages.create({ parent, properties: {
  Name: { title: text(`Item ${n}`) }, Points: { number: n }, Stage: { select: { name: 'Now' } } } });
const first = await row(0);
const rows = [];
for (let start = 1; start < 1000; start += 20) {
  const some = Array.from({ length: Math.min(20, 1000 - start) }, (_, n) => row(start + n));
  rows.push(...await Promise.all(some));
}
const changed = await notion.pages.update({ page_id: first.id, properties: {
  Name: { title: text('Zero') }, Note: { rich_text: text('changed') } } });
const all = await collectPaginatedAPI(notion.dataSources.query, { data_source_id: source });
const filtered = await notion.dataSources.query({
  data_source_id: source,
  filter: { property: 'Points', number: { greater_than: 989 } },
  sorts: [{ property: 'Points', direction: 'descending' }],
});
const blocks = await notion.blocks.children.append({ block_id: first.id, children: [
  { heading_1: { rich_text: text('Why') } }, { to_do: { rich_text: text('do'), checked: true } }] });
await notion.blocks.update({ block_id: blocks.results[0].id, heading_1: { rich_text: text('How') } });
const children = await notion.blocks.children.list({ block_id: first.id });
await notion.blocks.delete({ block_id: blocks.results[1].id });
const markdown = await notion.pages.retrieveMarkdown({ page_id: first.id });
await notion.comments.create({ parent: { page_id: first.id }, rich_text: text('said') });
const comments = await notion.comments.list({ block_id: first.id });
await notion.dataSources.update({ data_source_id: source, properties: { Due: { date: {} } } });
const read = await notion.dataSources.retrieve({ data_source_id: source });
const found = await notion.search({ query: 'Roadmap', filter: { property: 'object', value: 'data_source' } });
const gone = await notion.pages.update({ page_id: rows[0].id, in_trash: true });

const missing = '00000000-0000-4000-8000-000000000000';
console.log(JSON.stringify({
  me: me.type,
  name: changed.properties.Name.title[0].plain_text,
  read: new Set(all.map((page) => page.id)).size,
  filtered: filtered.results.map((page) => page.properties.Points.number),
  children: children.results.map((block) => block.type),
  markdown: markdown.markdown,
  comments: comments.results.length,
  properties: Object.keys(read.properties).sort(),
  found: found.results.length,
  trashed: gone.in_trash,
  refused: {
    missing: await refused(notion.pages.retrieve({ page_id: missing })),
    wrong: await refused(notion.pages.update({ page_id: first.id, properties: { Nope: { number: 1 } } })),
    token: await refused(new Client({ auth: 'wrong', ...options }).users.me({})),
    version: await refused(new Client({ auth: token, ...options, notionVersion: '1999-01-01' }).users.me({})),
    filter: await refused(notion.dataSources.query({
      data_source_id: source, filter: { property: 'Points', rich_text: { equals: 'x' } } })),
    size: await refused(notion.dataSources.query({ data_source_id: source, page_size: 101 })),
  },
  injected: await injected(control, 'notion', [403, 409, 429, 500, 502, 503, 504, 529],
    () => notion.users.me({})),
}));
