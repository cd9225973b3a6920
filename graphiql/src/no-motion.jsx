// Stands in for the one thing that GraphiQL takes from framer-motion: a list whose
// entries can be dragged. Here they stay where they are.
//
// GraphiQL calls the entries tabs. Each has buttons in it, which a tab must not have (ARIA
// 1.2, "Children Presentational"), so here they are what they look like: a list of buttons.
const Group = ({ axis, values, onReorder, role, as: List = 'ul', ...rest }) => <List {...rest} />;
const Item = ({ value, dragConstraints, role, as: Entry = 'li', 'aria-selected': isOpen, ...rest }) => (
  <Entry {...rest} aria-current={isOpen ? 'true' : undefined} />
);

export const Reorder = { Group, Item };
