//! Footnotes in HTML, as programs write them that make it of Markdown: references in the
//! text, which lead to the items of a list at its end, and back.

use std::collections::{HashMap, HashSet};

use super::tree::{Element, Node};

/// The tree with its footnotes as what they are. A list is one of footnotes if some reference
/// leads to each of its items; every other list stays as it is.
pub(super) fn with_notes(nodes: Vec<Node>) -> Vec<Node> {
    let mut found = Found::default();
    found.references(&nodes);
    found.lists(&nodes);
    if found.notes.is_empty() { nodes } else { found.replaced(nodes) }
}

#[derive(Default)]
struct Found {
    /// Where references lead.
    targets: HashSet<String>,
    /// The ids of references, to which notes lead back.
    places: HashSet<String>,
    /// The number of each note, by its id.
    notes: HashMap<String, usize>,
}

/// Where a link on the same page leads.
fn target(link: &Element) -> Option<&str> {
    link.attribute("href").strip_prefix('#').filter(|id| link.name == "a" && !id.is_empty())
}

/// The elements in an element, if nothing else is there but space.
fn only_elements(children: &[Node]) -> Option<Vec<&Element>> {
    let mut elements = Vec::new();
    for node in children {
        match node {
            Node::Element(element) => elements.push(element),
            node if is_space(node) => {}
            _ => return None,
        }
    }
    Some(elements)
}

/// The link of a reference: it alone is raised.
fn reference(element: &Element) -> Option<&Element> {
    if element.name != "sup" {
        return None;
    }
    match only_elements(&element.children)?[..] {
        [link] => target(link).map(|_| link),
        _ => None,
    }
}

impl Found {
    fn references(&mut self, nodes: &[Node]) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            match reference(element) {
                Some(link) => {
                    self.targets.extend(target(link).map(ToOwned::to_owned));
                    let ids = [element.attribute("id"), link.attribute("id")];
                    self.places.extend(ids.into_iter().filter(|id| !id.is_empty()).map(ToOwned::to_owned));
                }
                None => self.references(&element.children),
            }
        }
    }

    fn lists(&mut self, nodes: &[Node]) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            let items = only_elements(&element.children).filter(|_| element.name == "ol").unwrap_or_default();
            let is_note = |item: &&Element| item.name == "li" && self.targets.contains(item.attribute("id"));
            if items.is_empty() || !items.iter().all(is_note) {
                self.lists(&element.children);
                continue;
            }
            for item in items {
                let number = self.notes.len() + 1;
                self.notes.entry(item.attribute("id").to_owned()).or_insert(number);
            }
        }
    }

    fn replaced(&self, nodes: Vec<Node>) -> Vec<Node> {
        let mut done = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Node::Element(element) = node else {
                done.push(node);
                continue;
            };
            let number = reference(&element).and_then(|link| self.notes.get(target(link)?));
            if let Some(number) = number {
                done.push(Node::Reference(*number));
            } else if target(&element).is_some_and(|id| self.places.contains(id)) {
                // It leads back.
            } else if element.name == "ol" && self.is_of_notes(&element) {
                done.extend(element.children.into_iter().filter_map(|node| self.note(node)));
            } else {
                let children = self.replaced(element.children);
                done.push(Node::Element(Element { children, ..element }));
            }
        }
        without_rules(done)
    }

    fn is_of_notes(&self, list: &Element) -> bool {
        let items = only_elements(&list.children).unwrap_or_default();
        !items.is_empty() && items.iter().all(|item| self.notes.contains_key(item.attribute("id")))
    }

    fn note(&self, node: Node) -> Option<Node> {
        let Node::Element(item) = node else { return None };
        let number = self.notes.get(item.attribute("id"))?;
        Some(Node::Note(*number, self.replaced(item.children)))
    }
}

/// Without lines above the notes: they stand in a part of their own.
fn without_rules(nodes: Vec<Node>) -> Vec<Node> {
    let mut done = Vec::with_capacity(nodes.len());
    let mut before_notes = false;
    for node in nodes.into_iter().rev() {
        let is_rule = matches!(&node, Node::Element(element) if element.name == "hr");
        if is_rule && before_notes {
            continue;
        }
        if !is_space(&node) {
            before_notes = has_notes_alone(&node);
        }
        done.push(node);
    }
    done.reverse();
    done
}

fn is_space(node: &Node) -> bool {
    matches!(node, Node::Text(text) if text.trim().is_empty())
}

/// Whether it is a note, or an element with nothing else.
fn has_notes_alone(node: &Node) -> bool {
    match node {
        Node::Note(..) => true,
        Node::Element(element) => {
            let mut inner = element.children.iter().filter(|node| !is_space(node)).peekable();
            inner.peek().is_some() && inner.all(|node| matches!(node, Node::Note(..)))
        }
        Node::Text(_) | Node::Reference(_) => false,
    }
}
