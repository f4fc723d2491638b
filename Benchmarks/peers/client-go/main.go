// A typed shared informer of nodes, as client-go's users write it: ends with a JSON line of what it
// holds, once synced or after a time.
//
//	client-go -kubeconfig FILE [-wire protobuf|json] [-transform] [-for 20s]
//
// The way of the initial list is client-go's own switch: KUBE_FEATURE_WatchListClient=true|false.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// summary is the least an informer can keep of a node to know how much its images take.
type summary struct {
	metav1.ObjectMeta
	imageBytes int64
}

func imageBytes(object any) int64 {
	switch node := object.(type) {
	case *summary:
		return node.imageBytes
	case *corev1.Node:
		var total int64
		for i := range node.Status.Images {
			total += node.Status.Images[i].SizeBytes
		}
		return total
	}
	return 0
}

// summarize runs more than once on an object, so it passes on what it has made.
func summarize(object any) (any, error) {
	node, ok := object.(*corev1.Node)
	if !ok {
		return object, nil
	}
	return &summary{
		ObjectMeta: metav1.ObjectMeta{
			Name: node.Name, UID: node.UID, ResourceVersion: node.ResourceVersion,
		},
		imageBytes: imageBytes(node),
	}, nil
}

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "the kubeconfig `file`")
	wire := flag.String("wire", "protobuf", "protobuf or json")
	transform := flag.Bool("transform", false, "keep name, uid, resourceVersion and total only")
	duration := flag.Duration("for", 0, "go on for so long; 0: until synced")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	switch *wire {
	case "protobuf":
		config.ContentType = runtime.ContentTypeProtobuf
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	case "json":
		config.ContentType = runtime.ContentTypeJSON
		config.AcceptContentTypes = runtime.ContentTypeJSON
	default:
		log.Fatalf("-wire %s: neither protobuf nor json", *wire)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}

	var options []informers.SharedInformerOption
	if *transform {
		options = append(options, informers.WithTransform(summarize))
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, options...)
	nodes := factory.Core().V1().Nodes().Informer()
	var updates, changes atomic.Int64
	handler, err := nodes.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(old, new any) {
			updates.Add(1)
			if imageBytes(old) != imageBytes(new) {
				changes.Add(1)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	start := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), handler.HasSynced) {
		log.Fatal("not synced")
	}
	synced := time.Since(start)
	if *duration > 0 {
		time.Sleep(time.Until(start.Add(*duration)))
	}
	var total int64
	objects := nodes.GetStore().List()
	for _, object := range objects {
		total += imageBytes(object)
	}
	fmt.Printf("{\"nodes\":%d,\"imageBytes\":%d,\"syncSeconds\":%.6f,\"updates\":%d,\"changes\":%d}\n",
		len(objects), total, synced.Seconds(), updates.Load(), changes.Load())
}
