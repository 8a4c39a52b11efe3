// jira.js against the stand-in; answers that break the client's own schemas throw.
import { createAgileClient, createCloudClient } from 'jira.js';

import { injected, refused } from './errors.mjs';

const { control, url, email, token } = JSON.parse(process.argv[2]);
const config = {
  host: url,
  auth: { type: 'basic', email, apiToken: token },
  onSchemaMismatch: 'throw',
};
const jira = createCloudClient(config);
const agile = createAgileClient(config);
const doc = { type: 'doc', version: 1, content: [
  { type: 'paragraph', content: [{ type: 'text', text: 'Hello' }] }] };
const item = (summary, more = {}) => ({
  fields: { project: { key: 'WEB' }, issuetype: { name: 'Task' }, summary, ...more },
});

const me = await jira.myself.getCurrentUser();
await jira.serverInfo.getServerInfo();
await jira.issueFields.getFields();
const projects = await jira.projects.searchProjects();
await jira.projects.getProject({ projectIdOrKey: 'WEB' });
await jira.projects.getAllStatuses({ projectIdOrKey: 'WEB' });
const types = await jira.issues.getCreateIssueMetaIssueTypes({ projectIdOrKey: 'WEB' });
const task = types.issueTypes.find((type) => type.name === 'Task');
await jira.issues.getCreateIssueMetaIssueTypeId({ projectIdOrKey: 'WEB', issueTypeId: task.id });
const version = await jira.projectVersions.createVersion({
  name: '1.0', projectId: Number(projects.values[0].id) });

const made = await jira.issues.createIssue(
  item('One', { description: doc, labels: ['a'], assignee: { accountId: me.accountId } }));
await jira.issues.editIssue({
  issueIdOrKey: made.key, fields: { summary: 'Two', fixVersions: [{ id: version.id }] } });
const steps = await jira.issues.getTransitions({ issueIdOrKey: made.key });
const done = steps.transitions.find((step) => step.to.name === 'Done');
await jira.issues.doTransition({ issueIdOrKey: made.key, transition: { id: done.id } });
await jira.issueComments.addComment({ issueIdOrKey: made.key, comment: doc, body: doc });
await jira.issueComments.getComments({ issueIdOrKey: made.key });
const read = await jira.issues.getIssue({ issueIdOrKey: made.key, expand: 'changelog,names' });
const history = await jira.issues.getChangeLogs({ issueIdOrKey: made.key });
await jira.issues.getEditIssueMeta({ issueIdOrKey: made.key });

const rows = Array.from({ length: 999 }, (_, n) => item(`Item ${n}`));
for (let start = 0; start < rows.length; start += 50) {
  await jira.issues.createIssues({ issueUpdates: rows.slice(start, start + 50) });
}
const keys = new Set();
let pages = 0;
let nextPageToken;
do {
  const page = await jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({
    jql: 'project = WEB ORDER BY key', fields: ['summary', 'status'], maxResults: 100, nextPageToken });
  page.issues.forEach((issue) => keys.add(issue.key));
  nextPageToken = page.nextPageToken;
  pages += 1;
} while (nextPageToken);
const found = await jira.issueSearch.searchAndReconsileIssuesUsingJql({
  jql: 'project = WEB AND summary ~ "Two"', fields: ['*all'] });
const count = await jira.issueSearch.countIssues({ jql: 'project = WEB' });
const bulk = await jira.issues.bulkFetchIssues({ issueIdsOrKeys: [made.key, 'WEB-2'], fields: ['summary'] });
const board = (await agile.board.getAllBoards()).values[0];
await agile.sprint.createSprint({ name: 'S1', originBoardId: board.id });
await jira.issues.deleteIssue({ issueIdOrKey: 'WEB-2' });

const stranger = createCloudClient({ ...config, auth: { type: 'basic', email, apiToken: 'wrong' } });
console.log(JSON.stringify({
  summary: read.fields.summary,
  status: read.fields.status.name,
  version: read.fields.fixVersions[0].name,
  changes: history.values.length,
  read: keys.size,
  pages,
  found: found.issues.map((issue) => issue.key),
  count: count.count,
  bulk: bulk.issues.length,
  refused: {
    gone: await refused(jira.issues.getIssue({ issueIdOrKey: 'WEB-2' })),
    unbounded: await refused(jira.issueSearch.countIssues({ jql: 'nonsense = 1' })),
    noProject: await refused(jira.issues.createIssue({
      fields: { project: { key: 'NONE' }, issuetype: { name: 'Task' }, summary: 'x' } })),
    noStep: await refused(jira.issues.doTransition({
      issueIdOrKey: made.key, transition: { id: '999' } })),
    forbidden: await refused(jira.webhooks.getDynamicWebhooksForApp({})),
    credentials: await refused(stranger.myself.getCurrentUser()),
  },
  injected: await injected(control, 'jira', [403, 409, 413, 429, 500, 502, 503, 504],
    () => jira.myself.getCurrentUser()),
}));
