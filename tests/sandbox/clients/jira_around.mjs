// jira.js against what is around the stand-in's issues; answers that break its schemas throw.
import { createAgileClient, createCloudClient } from 'jira.js';

const { url, email, token } = JSON.parse(process.argv[2]);
const config = { host: url, auth: { type: 'basic', email, apiToken: token }, onSchemaMismatch: 'throw' };
const jira = createCloudClient(config);
const agile = createAgileClient(config);
const doc = { type: 'doc', version: 1, content: [
  { type: 'paragraph', content: [{ type: 'text', text: 'Hello' }] }] };
const make = (summary, kind = 'Task') => jira.issues.createIssue({
  fields: { project: { key: 'WEB' }, issuetype: { name: kind }, summary } });

const me = await jira.myself.getCurrentUser();
const one = await make('One');
const two = await make('Two');
const issueIdOrKey = one.key;
const project = await jira.projects.getProject({ projectIdOrKey: 'WEB' });

const log = await jira.issueWorklogs.addWorklog({ issueIdOrKey, timeSpent: '3h 20m', comment: doc });
await jira.issueWorklogs.getIssueWorklog({ issueIdOrKey });
await jira.issueWorklogs.getWorklogsForIds({ ids: [Number(log.id)] });
const changed = await jira.issueWorklogs.getIdsOfWorklogsModifiedSince({});
await jira.issueAttachments.addAttachment({
  issueIdOrKey, attachments: { filename: 'a.txt', content: 'hello' } });
const read = await jira.issues.getIssue({ issueIdOrKey });
await jira.issueAttachments.getAttachment({ id: read.fields.attachment[0].id });
await jira.issueAttachments.getAttachmentMeta();
await jira.issueVotes.getVotes({ issueIdOrKey });
const watchers = await jira.issueWatchers.getIssueWatchers({ issueIdOrKey });
await jira.issueWatchers.getIsWatchingIssueBulk({ issueIds: [one.id] });
const group = await jira.groups.createGroup({ name: 'crew' });
await jira.groups.addUserToGroup({ groupId: group.groupId, accountId: me.accountId });
const members = await jira.groups.getUsersFromGroup({ groupId: group.groupId });
await jira.groups.findGroups({ query: 'cr' });
await jira.groupAndUserPicker.findUsersAndGroups({ query: 's' });
await jira.userSearch.findUsersForPicker({ query: 's' });
await jira.userSearch.findUsersWithAllPermissions({ permissions: 'EDIT_ISSUES', projectKey: 'WEB' });
await jira.permissions.getBulkPermissions({ globalPermissions: ['ADMINISTER'] });
await jira.permissions.getPermittedProjects({ permissions: ['EDIT_ISSUES'] });
await jira.issueProperties.setIssueProperty({ issueIdOrKey, propertyKey: 'mark', body: { x: 1 } });
const mark = await jira.issueProperties.getIssueProperty({ issueIdOrKey, propertyKey: 'mark' });
const filter = await jira.filters.createFilter({ name: 'Ours', jql: 'project = WEB' });
await jira.filters.getMyFilters();
await jira.filters.getFiltersPaginated({ expand: 'jql' });
await jira.filters.getFilter({ id: Number(filter.id) });
await jira.jql.getAutoComplete();
await jira.jql.getFieldAutoCompleteForQueryString({ fieldName: 'status', fieldValue: 'To' });
await jira.jql.parseJqlQueries({ queries: ['project = WEB ORDER BY Rank'] });
const old = await jira.projectVersions.createVersion({ name: '1.0', projectId: Number(project.id) });
const fresh = await jira.projectVersions.createVersion({ name: '2.0', projectId: Number(project.id) });
await jira.projectVersions.moveVersion({ id: fresh.id, position: 'First' });
await jira.projectVersions.mergeVersions({ id: old.id, moveIssuesTo: fresh.id });
const part = await jira.projectComponents.createComponent({ name: 'UI', project: 'WEB' });
await jira.projectComponents.getComponentRelatedIssues({ id: part.id });
await jira.projectComponents.findComponentsForProjects({});
await jira.issueLinkTypes.createIssueLinkType({ name: 'Waits', inward: 'is awaited by', outward: 'waits for' });
await jira.labels.getAllLabels();
await agile.issue.rankIssues({ issues: [two.key], rankBeforeIssue: one.key });
const ranked = await jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({
  jql: 'project = WEB AND filter = Ours ORDER BY Rank', fields: ['summary', 'timetracking', 'attachment'] });
const epic = await make('Epic', 'Epic');
await agile.epic.partiallyUpdateEpic({ epicIdOrKey: epic.key, done: true });
await agile.epic.moveIssuesToEpic({ epicIdOrKey: epic.key, issues: [one.key] });
const free = await agile.epic.getIssuesWithoutEpic();

console.log(JSON.stringify({
  spent: read.fields.timespent,
  changed: changed.values.length,
  file: read.fields.attachment[0].filename,
  watching: watchers.isWatching,
  members: members.values.length,
  mark: mark.value,
  ranked: ranked.issues.map((issue) => issue.key),
  free: free.issues.map((issue) => issue.key),
}));
