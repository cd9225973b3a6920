//! Links around whole blocks, such as the cards of Ghost. In Markdown a link stands within a
//! line, so the first line of the block that shows something becomes the link.

use super::tree::{Element, Node};

/// Elements that become links themselves, to what they play.
const PLAYERS: [&str; 5] = ["audio", "embed", "iframe", "source", "video"];

/// The tree with each of its links within a line.
pub(super) fn with_links_in_lines(nodes: Vec<Node>) -> Vec<Node> {
    lowered(nodes, &mut None)
}

/// The nodes, with a link that stands around all of them around their first line.
fn lowered(nodes: Vec<Node>, link: &mut Option<Element>) -> Vec<Node> {
    let (mut done, mut line) = (Vec::with_capacity(nodes.len()), Vec::new());
    for node in nodes {
        if !stands_alone(&node) {
            line.push(node);
            continue;
        }
        end_line(&mut line, link, &mut done);
        done.push(match node {
            Node::Element(element) if is_link(&element) && has_alone(&element) => {
                Node::Element(group(element))
            }
            // Code has no links.
            Node::Element(element) if !is_link(&element) && element.name != "pre" => {
                let children = lowered(element.children, link);
                Node::Element(Element { children, ..element })
            }
            node => node,
        });
    }
    end_line(&mut line, link, &mut done);
    done
}

/// What stood in a link, with the link in its first line.
fn group(element: Element) -> Element {
    let Element { name, attributes, children } = element;
    let mut link = Some(Element { name, attributes, children: Vec::new() });
    let mut children = lowered(children, &mut link);
    // No line could become the link, so its address stands below.
    if children.iter().any(shows)
        && let Some(mut link) = link
    {
        let address = link.attribute("href").to_owned();
        link.children.push(Node::Text(address));
        children.push(Node::Element(link));
    }
    Element { name: "span".to_owned(), attributes: Vec::new(), children }
}

/// Puts the link around what was gathered, unless another line has it or there is nothing to
/// see.
fn end_line(line: &mut Vec<Node>, link: &mut Option<Element>, done: &mut Vec<Node>) {
    let nodes = std::mem::take(line);
    match link.take_if(|_| nodes.iter().any(shows)) {
        Some(link) => done.push(Node::Element(Element { children: nodes, ..link })),
        None => done.extend(nodes),
    }
}

fn is_link(element: &Element) -> bool {
    element.name == "a" && !element.attribute("href").is_empty()
}

/// Whether a link cannot stand around it in Markdown.
fn stands_alone(node: &Node) -> bool {
    match node {
        Node::Element(element) => {
            element.is_block()
                || is_link(element)
                || element.is_part_of_table()
                || PLAYERS.contains(&element.name.as_str())
                || has_alone(element)
        }
        Node::Reference(_) | Node::Note(..) => true,
        Node::Text(_) => false,
    }
}

fn has_alone(element: &Element) -> bool {
    element.children.iter().any(stands_alone)
}

/// Whether a reader sees something of it.
fn shows(node: &Node) -> bool {
    match node {
        Node::Text(text) => !text.trim().is_empty(),
        Node::Element(element) if element.is_left_out() => false,
        Node::Element(element) => {
            let is_source = element.name == "img" || PLAYERS.contains(&element.name.as_str());
            is_source && !element.attribute("src").is_empty() || element.children.iter().any(shows)
        }
        Node::Reference(_) | Node::Note(..) => true,
    }
}
