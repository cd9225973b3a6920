// Stands in for the one thing that GraphiQL takes from framer-motion: a list whose
// entries can be dragged. Here they stay where they are.
const Group = ({ axis, values, onReorder, as: List = 'ul', ...rest }) => <List {...rest} />;
const Item = ({ value, dragConstraints, as: Entry = 'li', ...rest }) => <Entry {...rest} />;

export const Reorder = { Group, Item };
