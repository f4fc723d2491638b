//! A reflector of nodes with a trimmed struct, as kube-rs' users write it: ends with a JSON line of
//! what it holds, once synced or after a time.
//!
//!     kube-rs [--list] [--for SECONDS]        (KUBECONFIG names the cluster)

use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::{api::core::v1::Node, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api, Client, Resource,
    runtime::{WatchStreamExt, reflector, watcher},
};
use serde::{Deserialize, Serialize};

#[derive(Resource, Serialize, Deserialize, Clone, Debug)]
#[resource(inherit = Node)]
struct TrimmedNode {
    metadata: ObjectMeta,
    status: Option<TrimmedStatus>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct TrimmedStatus {
    #[serde(default)]
    images: Vec<Image>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Image {
    #[serde(default)]
    size_bytes: i64,
}

impl TrimmedNode {
    fn image_bytes(&self) -> i64 {
        let images = self.status.iter().flat_map(|status| &status.images);
        images.map(|image| image.size_bytes).sum()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut config = watcher::Config::default().streaming_lists();
    let mut duration = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => config = watcher::Config::default().any_semantic(),
            "--for" => {
                let seconds = arguments.next().unwrap_or_default().parse()?;
                duration = Some(Duration::from_secs(seconds));
            }
            other => anyhow::bail!("unknown argument {other}"),
        }
    }

    let start = Instant::now();
    let nodes: Api<TrimmedNode> = Api::all(Client::try_default().await?);
    let (reader, writer) = reflector::store();
    // What nobody asks for is dropped before the store sees it.
    let stream = watcher(nodes, config)
        .default_backoff()
        .modify(|node| {
            node.metadata = ObjectMeta {
                name: node.metadata.name.take(),
                uid: node.metadata.uid.take(),
                resource_version: node.metadata.resource_version.take(),
                ..ObjectMeta::default()
            };
        })
        .reflect(writer)
        .touched_objects();
    let events = tokio::spawn(stream.fold(0u64, |count, _| async move { count + 1 }));
    reader.wait_until_ready().await?;
    let synced = start.elapsed();
    if let Some(duration) = duration {
        tokio::time::sleep(duration.saturating_sub(start.elapsed())).await;
    }
    let held = reader.state();
    let total: i64 = held.iter().map(|node| node.image_bytes()).sum();
    println!(
        "{{\"nodes\":{},\"imageBytes\":{total},\"syncSeconds\":{:.6}}}",
        held.len(),
        synced.as_secs_f64()
    );
    events.abort();
    Ok(())
}
