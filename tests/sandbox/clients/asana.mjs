// The asana library against the stand-in.
import Asana from 'asana';

import { injected, refused } from './errors.mjs';

const { control, url, token, workspace, team } = JSON.parse(process.argv[2]);
const client = (secret) => {
  const made = new Asana.ApiClient();
  made.basePath = `${url}/api/1.0`;
  made.authentications.token.accessToken = secret;
  return made;
};
const asana = client(token);
const [users, projects, sections, tasks, stories, fields] = [
  Asana.UsersApi, Asana.ProjectsApi, Asana.SectionsApi, Asana.TasksApi, Asana.StoriesApi,
  Asana.CustomFieldsApi].map((Api) => new Api(asana));

const me = (await users.getUser('me')).data;
const project = (await projects.createProject({ data: { name: 'Road', team, workspace } })).data;
const section = (await sections.createSectionForProject(project.gid, { body: { data: { name: 'Now' } } })).data;
const field = (await fields.createCustomField({ data: {
  name: 'Syncd ID', resource_subtype: 'text', workspace } })).data;
await projects.addCustomFieldSettingForProject({ data: { custom_field: field.gid } }, project.gid);
const create = (n) => tasks.createTask({ data: {
  name: `Item ${n}`, projects: [project.gid], custom_fields: { [field.gid]: `m${n}` } } });
const first = (await create(0)).data;
for (let start = 1; start < 1000; start += 10) {
  await Promise.all(Array.from({ length: Math.min(10, 1000 - start) }, (_, n) => create(start + n)));
}
await tasks.updateTask({ data: { name: 'Zero', due_on: '2026-12-01', assignee: me.gid } }, first.gid);
await sections.addTaskForSection(section.gid, { body: { data: { task: first.gid } } });
const sub = (await tasks.createSubtaskForTask({ data: { name: 'Sub' } }, first.gid)).data;
const read = (await tasks.getTask(first.gid, {
  opt_fields: 'name,due_on,assignee.email,memberships.section.name,num_subtasks,custom_fields.text_value' })).data;
const gids = new Set();
let pages = 0;
let page = await tasks.getTasksForProject(project.gid, { limit: 100, opt_fields: 'name' });
while (page.data) {
  page.data.forEach((task) => gids.add(task.gid));
  pages += 1;
  page = await page.nextPage();
}
const searched = await tasks.searchTasksForWorkspace(workspace, { text: 'Zero', opt_fields: 'name' });
const said = await stories.getStoriesForTask(first.gid, { opt_fields: 'resource_subtype' });
await tasks.deleteTask(sub.gid);

console.log(JSON.stringify({
  name: read.name,
  due: read.due_on,
  assignee: read.assignee.email,
  section: read.memberships[0].section.name,
  marker: read.custom_fields[0].text_value,
  subtasks: read.num_subtasks,
  read: gids.size,
  pages,
  searched: searched.data.map((task) => task.name),
  stories: said.data.map((story) => story.resource_subtype),
  refused: {
    gone: await refused(tasks.getTask(sub.gid, {})),
    noField: await refused(tasks.createTask({ data: { name: 'x', workspace, custom_fields: { 1: 'x' } } })),
    noProject: await refused(projects.getProject('1', {})),
    late: await refused(new Asana.EventsApi(asana).getEvents(project.gid, {})),
    token: await refused(new Asana.UsersApi(client('wrong')).getUser('me')),
  },
  injected: await injected(control, 'asana', [403, 413, 423, 429, 500, 502, 503, 504],
    () => users.getUser('me')),
}));
